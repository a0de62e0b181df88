"""Search by meaning with the sidecar, by its Python client."""

import os
from typing import Any

from sidecar.client import AddOptions, Search, SidecarClient


class HelpSearch:
    """An index of documents with a title and a text."""

    def __init__(self, index: str) -> None:
        self.index = SidecarClient(os.environ["SERVER_URL"]).index(index)

    def create(self) -> None:
        """Make the index, empty. Each text is one vector, however long it is."""
        whole_texts = {"split_method": "character", "split_length": 100_000}
        defaults = {"model": os.environ["MODEL_NAME"], "text_preprocessing": whole_texts}
        self.index.create({"index_defaults": defaults, "number_of_shards": 1})

    def add(self, documents: list[dict[str, Any]]) -> None:
        """Add documents; they are found when this returns."""
        self.index.add(documents, AddOptions(tensor_fields=["text"], refresh=True))

    def search(self, q: str) -> list[tuple[str, str]]:
        """The ids and titles of the ten nearest documents."""
        hits = self.index.search(Search(q, attributes_to_retrieve=["title"], show_highlights=False))
        return [(hit.id, hit.fields["title"]) for hit in hits]
