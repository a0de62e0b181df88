"""Search by meaning with sentence-transformers and opensearch-py."""

import os
from typing import Any

from sentence_transformers import SentenceTransformer

from benchmarks.comparison.contestants.knn_index import KnnIndex


class HelpSearch:
    """An index of documents with a title and a text."""

    batch = 32

    def __init__(self, index: str) -> None:
        self.index = KnnIndex(index)
        engine: Any = os.environ["ENGINE"]
        self.model = SentenceTransformer(os.environ["MODEL"], device="cpu", backend=engine)

    def create(self) -> None:
        """Make the index, empty."""
        self.index.create(384)

    def add(self, documents: list[dict[str, Any]]) -> None:
        """Add documents; they are found when this returns."""
        texts = [document["text"] for document in documents]
        self.index.write(documents, self.model.encode(texts, batch_size=self.batch).tolist())

    def search(self, q: str) -> list[tuple[str, str]]:
        """The ids and titles of the ten nearest documents."""
        return self.index.nearest(self.model.encode(q).tolist())
