"""Search by meaning with Infinity as the embedding server, opensearch-py and the client library of OpenAI."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai import OpenAI

from benchmarks.comparison.contestants.knn_index import KnnIndex

REQUEST_TEXTS = 128
REQUESTS_AT_ONCE = 4


class HelpSearch:
    """An index of documents with a title and a text."""

    def __init__(self, index: str) -> None:
        self.index = KnnIndex(index)
        self.embedder = OpenAI(base_url=os.environ["SERVER_URL"], api_key="none")

    def embed(self, texts: list[str]) -> list[list[float]]:
        """The embeddings of texts, in their order."""
        answer = self.embedder.embeddings.create(model=os.environ["MODEL_NAME"], input=texts)
        return [item.embedding for item in answer.data]

    def create(self) -> None:
        """Make the index, empty."""
        self.index.create(384)

    def add(self, documents: list[dict[str, Any]]) -> None:
        """Add documents; they are found when this returns."""
        texts = [document["text"] for document in documents]
        requests = [texts[first : first + REQUEST_TEXTS] for first in range(0, len(texts), REQUEST_TEXTS)]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            vectors = (vector for vectors in pool.map(self.embed, requests) for vector in vectors)
            self.index.write(documents, vectors)

    def search(self, q: str) -> list[tuple[str, str]]:
        """The ids and titles of the ten nearest documents."""
        (vector,) = self.embed([q])
        return self.index.nearest(vector)
