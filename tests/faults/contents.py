"""What an index holds, read past the sidecar, and compared with what was sent."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from sidecar.embedding.loaders.random import RandomLoader
from tests.fix_opensearch import request

DIMENSIONS = 32
"""Of random/small."""
NATIVE = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {
        "_meta": {"sidecar": {"fields": {"vector": {"source": "title", "model": "random/small"}}}},
        "properties": {"title": {"type": "text"}},
    },
}


def differences(found: dict[str, str], wanted: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The documents that are not as they should be: what is found, and what is wanted."""
    return {
        name: (found.get(name), wanted.get(name))
        for name in found.keys() | wanted.keys()
        if found.get(name) != wanted.get(name)
    }


def texts_with_chunks(node: str, index: str) -> dict[str, str]:
    """Each document's text. Every document must have the chunks of this very text, with this model's vectors."""
    found, vectors = {}, []
    for document_id, source in everything(node, index):
        found[document_id] = source["title"]
        chunks = source["__embeddings"]["title"]
        assert (chunks[0]["start"], chunks[-1]["end"]) == (0, len(source["title"]))
        vectors += [(source["title"][chunk["start"] : chunk["end"]], chunk["vector"]) for chunk in chunks]
    assert_embedded(vectors)
    return found


def texts_with_vectors(node: str, index: str) -> dict[str, str]:
    """As `texts_with_chunks`, for documents with one vector."""
    found = dict(everything(node, index))
    assert_embedded([(source["title"], source["vector"]) for source in found.values()])
    return {name: source["title"] for name, source in found.items()}


def assert_embedded(vectors: list[tuple[str, Any]]) -> None:
    wanted = RandomLoader(DIMENSIONS).encode_text([text for text, _ in vectors])
    cosines = np.sum(wanted * np.asarray([vector for _, vector in vectors], dtype=np.float32), axis=1)
    assert cosines.min() > 0.999


def everything(node: str, index: str) -> list[tuple[str, dict[str, Any]]]:
    """All documents of an index, by pages."""
    request(node, "POST", f"/{index}/_refresh")
    found: list[tuple[str, dict[str, Any]]] = []
    after: list[Any] | None = None
    while True:
        body = {"size": 2000, "sort": [{"_seq_no": "asc"}], "track_total_hits": False}
        if after is not None:
            body["search_after"] = after
        status, text = request(node, "POST", f"/{index}/_search", json.dumps(body))
        assert status == 200, text
        hits = json.loads(text)["hits"]["hits"]
        if not hits:
            return found
        found += [(hit["_id"], hit["_source"]) for hit in hits]
        after = hits[-1]["sort"]
