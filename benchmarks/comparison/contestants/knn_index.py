"""A k-NN index of OpenSearch by opensearch-py: what every program that embeds by itself needs beside its model."""

import os
from collections.abc import Iterable
from typing import Any

from opensearchpy import OpenSearch, helpers


class KnnIndex:
    """Documents with a title, a text and a vector."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cluster = OpenSearch(os.environ["OPENSEARCH_URL"], timeout=60)

    def create(self, dimension: int) -> None:
        """Make the index, empty."""
        parameters = {"m": 16, "ef_construction": 128}
        method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil", "parameters": parameters}
        properties = {
            "title": {"type": "text"},
            "text": {"type": "text"},
            "module": {"type": "keyword"},
            "kind": {"type": "keyword"},
            "vector": {"type": "knn_vector", "dimension": dimension, "method": method},
        }
        settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0}
        body = {"settings": settings, "mappings": {"properties": properties}}
        self.cluster.indices.create(index=self.name, body=body)

    def write(self, documents: list[dict[str, Any]], vectors: Iterable[list[float]]) -> None:
        """Write documents with their vectors; they are found when this returns."""
        actions = (
            {"_index": self.name, **document, "vector": vector}
            for document, vector in zip(documents, vectors, strict=True)
        )
        helpers.bulk(self.cluster, actions, refresh=True)

    def nearest(self, vector: list[float]) -> list[tuple[str, str]]:
        """The ids and titles of the ten documents nearest to a vector."""
        body = {"size": 10, "query": {"knn": {"vector": {"vector": vector, "k": 10}}}, "_source": ["title"]}
        hits = self.cluster.search(index=self.name, body=body)["hits"]["hits"]
        return [(hit["_id"], hit["_source"]["title"]) for hit in hits]
