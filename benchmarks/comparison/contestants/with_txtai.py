"""Search by meaning with txtai, in an index of its own: Faiss for the vectors, SQLite for the documents."""

# mypy: disable-error-code="import-not-found"

import os
import threading
from typing import Any

from txtai import Embeddings

NEAREST = "select id, title from txtai where similar(:q) limit 10"


class HelpSearch:
    """An index of documents with a title and a text."""

    batch = 32

    def __init__(self, index: str) -> None:
        self.folder = f"{os.environ['FOLDER']}/{index}"
        self.lock = threading.Lock()

    def create(self) -> None:
        """Make the index, empty."""
        self.embeddings = Embeddings(path=os.environ["MODEL"], content=True, encodebatch=self.batch)

    def add(self, documents: list[dict[str, Any]]) -> None:
        """Add documents; they are found, and on the disk, when this returns."""
        self.embeddings.index((document["_id"], document, None) for document in documents)
        self.embeddings.save(self.folder)

    def search(self, q: str) -> list[tuple[str, str]]:
        """The ids and titles of the ten nearest documents. One at a time: a search writes into the one database."""
        with self.lock:
            hits = self.embeddings.search(NEAREST, parameters={"q": q})
        return [(hit["id"], hit["title"]) for hit in hits]
