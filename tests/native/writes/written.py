"""Indexes with declared fields, put to the node as they are kept, and what is written to them through a port."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.normalizing import normalized

MODEL = "random/small"
DIMENSIONS = 32
VECTOR = {
    "type": "knn_vector",
    "dimension": DIMENSIONS,
    "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
}
BODY_VECTOR = {"body_vector": {"source": "body", "model": MODEL}}


@dataclass(frozen=True)
class Answered:
    """One answer, its body as it is."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Port:
    """Requests to the node, or to the sidecar's native port, over one connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """One exchange; a body that is neither text nor bytes is sent as JSON."""
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if data is not None and not isinstance(data, bytes):
            data = json.dumps(data).encode()
        sent = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        try:
            self._connection.request(method, path, data, sent)
            answer = self._connection.getresponse()
            return Answered(answer.status, answer.getheaders(), answer.read())
        finally:
            # Servers close what is idle for long, as between two files of tests.
            self._connection.close()

    def done(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """As `send`, for what must succeed; the answer's JSON."""
        answer = self.send(method, path, body, **headers)
        assert answer.status in {200, 201}, answer.body
        return answer.json()

    def bulk(self, path: str, *lines: Any, **headers: str) -> Any:
        """A bulk request of these lines: text as it is, all else as JSON."""
        body = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        return self.done("POST", path, body, **headers)

    def source(self, index: str, document_id: str) -> Any:
        """The stored source of a document."""
        return self.done("GET", f"/{index}/_doc/{document_id}")["_source"]

    def source_text(self, index: str, document_id: str) -> bytes:
        """The same as the bytes that are stored."""
        return self.send("GET", f"/{index}/_source/{document_id}").body


def make_index(
    node: Port,
    name: str,
    fields: Mapping[str, Any] = BODY_VECTOR,
    properties: Mapping[str, Any] | None = None,
    **settings: Any,
) -> None:
    """An index of one shard that has these declarations; top-level vectors are mapped."""
    vectors = {path: VECTOR for path in fields if "." not in path}
    mappings = {"_meta": {"sidecar": {"fields": fields}}, "properties": {**vectors, **(properties or {})}}
    own = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0, **settings}
    node.done("PUT", f"/{name}", {"settings": own, "mappings": mappings})


Expected = Callable[[str], Embeddings]


def expected_by(loader: Loader) -> Expected:
    """The vector of a text, of length 1."""

    def vector(text: str) -> Embeddings:
        return normalized(loader.encode_text([text]))[0]

    return vector


def is_vector(stored: Any, vector: Embeddings) -> bool:
    """True where the stored numbers are the vector's, but for what tells equal texts apart."""
    return len(stored) == len(vector) and bool(np.allclose(stored, vector, atol=1e-6))
