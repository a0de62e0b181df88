"""Indexes with declared vectors, and the queries that the cluster itself would take in place of those by meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import requests

from sidecar.embedding.loaders.random import RandomLoader
from sidecar.native.json.edits import vector_text

MODEL = "random/small"
DIMENSIONS = 32
WIDE_MODEL = "random/medium"
WIDE_DIMENSIONS = 128
DOCUMENTS = 40
LANGUAGES = ("en", "de")
CHUNKS = "passage_semantic_info.chunks"
"""The nested path of a chunked ``semantic`` field of the name ``passage``."""

Query = dict[str, Any]


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """What the model makes of a text, as it is written to the cluster."""
    numbers: list[float] = orjson.loads(vector_text(RandomLoader(dimensions).encode_text([text])[0]))
    return numbers


def knn(field: str, text: str, **parameters: Any) -> Query:
    """The query that a ``neural`` one becomes."""
    return {"knn": {field: {"vector": vector(text), **(parameters or {"k": 10})}}}


def neural(field: str, text: str, **parameters: Any) -> Query:
    return {"neural": {field: {"query_text": text, **parameters}}}


def in_chunks(query: Query, path: str = CHUNKS, **outer: Any) -> Query:
    """The query in the nested entries of a path."""
    return {"nested": {"path": path, "score_mode": "max", **outer, "query": query}}


def knn_vector(dimensions: int = DIMENSIONS) -> dict[str, Any]:
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    return {"type": "knn_vector", "dimension": dimensions, "method": method}


def mapping(*, model: str = MODEL, dimensions: int = DIMENSIONS) -> dict[str, Any]:
    """A mapping with a vector declared for ``body``, a ``semantic`` field with and one without chunks, and a vector of
    which nothing is declared."""
    fields = {
        "body_vector": {"source": "body", "model": model},
        "note_semantic_info.embedding": {"source": "note", "model": MODEL, "semantic": {"model_id": MODEL}},
        f"{CHUNKS}.embedding": {
            "source": "passage",
            "model": MODEL,
            "chunk_text": "text",
            "semantic": {"model_id": MODEL, "chunking": True},
        },
    }
    return {
        "_meta": {"sidecar": {"fields": fields}},
        "properties": {
            "body": {"type": "text"},
            "lang": {"type": "keyword"},
            "body_vector": knn_vector(dimensions),
            "plain_vector": knn_vector(),
            "note": {"type": "text"},
            "note_semantic_info": {"properties": {"embedding": knn_vector()}},
            "passage": {"type": "text"},
            "passage_semantic_info": {
                "properties": {
                    "chunks": {"type": "nested", "properties": {"text": {"type": "text"}, "embedding": knn_vector()}}
                }
            },
        },
    }


def document(number: int, *, dimensions: int = DIMENSIONS) -> dict[str, Any]:
    chunks = [f"chunk {number} {part}" for part in range(2)]
    return {
        "body": f"body {number}",
        "lang": LANGUAGES[number % 2],
        "body_vector": vector(f"body {number}", dimensions),
        "plain_vector": vector(f"plain {number}"),
        "note": f"note {number}",
        "note_semantic_info": {"embedding": vector(f"note {number}")},
        "passage": " ".join(chunks),
        "passage_semantic_info": {"chunks": [{"text": chunk, "embedding": vector(chunk)} for chunk in chunks]},
    }


def create(node: str, index: str, mappings: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]) -> None:
    """Make an index in the cluster itself, and fill it."""
    settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0}
    made = requests.put(f"{node}/{index}", json={"settings": settings, "mappings": mappings}, timeout=30)
    assert made.status_code == 200, made.text
    lines = [
        line
        for number, one in enumerate(documents)
        for line in (orjson.dumps({"index": {"_id": str(number)}}), orjson.dumps(one))
    ]
    body = b"\n".join(lines) + b"\n"
    headers = {"content-type": "application/x-ndjson"}
    filled = requests.post(f"{node}/{index}/_bulk?refresh=true", data=body, headers=headers, timeout=30)
    assert not filled.json().get("errors", True), filled.text


@dataclass(frozen=True)
class Corpus:
    """``declared`` has all of `mapping`, ``bare`` the texts only, ``wide`` another model behind ``body``."""

    declared: str
    bare: str
    wide: str

    @property
    def pattern(self) -> str:
        """A pattern for all three."""
        return f"{self.declared}*"


@contextmanager
def corpus(node: str, name: str) -> Iterator[Corpus]:
    """The indexes, for as long as they are needed."""
    made = Corpus(name, f"{name}-bare", f"{name}-wide")
    create(node, made.declared, mapping(), [document(number) for number in range(DOCUMENTS)])
    texts = {"properties": {"body": {"type": "text"}, "lang": {"type": "keyword"}}}
    create(node, made.bare, texts, [{"body": f"body {number}", "lang": "en"} for number in range(3)])
    wide = [document(number, dimensions=WIDE_DIMENSIONS) for number in range(3)]
    create(node, made.wide, mapping(model=WIDE_MODEL, dimensions=WIDE_DIMENSIONS), wide)
    try:
        yield made
    finally:
        requests.delete(f"{node}/{made.declared},{made.bare},{made.wide}?ignore_unavailable=true", timeout=30)
