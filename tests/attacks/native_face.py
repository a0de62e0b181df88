"""A native face before a cluster that is made up here, so that thousands of requests a second can be tried."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import numpy as np

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import MediaError
from sidecar.metrics import Metrics
from sidecar.native.callers import Callers
from sidecar.native.declarations.pipelines import Pipelines
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.face import NativeFace
from sidecar.native.metadata import Metadata
from sidecar.native.parts import NativeParts
from sidecar.native.reading import ClusterReader
from sidecar.observation.kinds import SlowLimits
from sidecar.observation.request import Observer
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.passthrough import Passthrough, RawRequest
from sidecar.opensearch.switching import Switches

DIMENSIONS = 32
MODEL = "random/small"
JSON_HEADERS = [("content-type", "application/json; charset=UTF-8")]
MAX_BODY_BYTES = 65_536

_VECTOR = {"type": "knn_vector", "dimension": DIMENSIONS}
_FIELDS = {
    "body_vector": {"source": "body", "model": MODEL},
    "a.v": {"source": "a.t", "model": MODEL},
    "two_vector": {"source": [{"field": "one"}, {"field": "two", "weight": 2}], "model": MODEL},
    "chunks.embedding": {"source": "passage", "model": MODEL, "chunk_text": "text"},
}
_PROPERTIES = {
    "body_vector": _VECTOR,
    "a": {"properties": {"v": _VECTOR}},
    "two_vector": _VECTOR,
    "chunks": {"type": "nested", "properties": {"embedding": _VECTOR}},
}
INDEX = {"i": {"aliases": {}, "mappings": {"_meta": {"sidecar": {"fields": _FIELDS}}, "properties": _PROPERTIES}}}
"""The one index there is, as the cluster tells of it."""


def vector_of(text: str) -> Embeddings:
    """The vector that a text has here, of length 1: different texts have different ones."""
    found = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSIONS, dtype=np.float32)
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)


class Engine:
    """The engine's work, done at once."""

    models = SimpleNamespace(get=lambda spec: None)

    def check_room(self) -> None:
        """There is always room."""

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        done: Future[Embeddings] = Future()
        done.set_result(np.stack([vector_of(text) for text in texts]))
        return done

    def embed_queries(self, spec: ModelSpec, texts: Sequence[str], *, normalize: bool) -> list[Embeddings]:
        return [vector_of(text) for text in texts]


class Media:
    """No image can be had."""

    def submit(self, spec: ModelSpec, source: MediaSource) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_exception(MediaError("no image can be had here"))
        return done

    def embed_query(self, spec: ModelSpec, source: MediaSource) -> Embeddings:
        raise MediaError("no image can be had here")


@dataclass
class Answer:
    """An answer of the made-up cluster, with what is asked of a `RawAnswer`."""

    status: int
    body: bytes
    reason: str = "OK"
    headers: list[tuple[str, str]] = field(default_factory=lambda: list(JSON_HEADERS))

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    def pieces(self) -> Iterator[bytes]:
        yield self.body

    def read(self) -> bytes:
        return self.body

    def close(self) -> None:
        """Nothing is held."""


class Upstream:
    """Answers as a cluster that takes whatever it is sent; ``sent`` are the requests with a body, oldest first."""

    version = "OpenSearch/3.5.0 (opensearch)"

    def __init__(self) -> None:
        self.sent: list[RawRequest] = []

    def send(self, request: RawRequest) -> Answer:
        request.target.encode("ascii")
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body = body.read(MAX_BODY_BYTES)
        path = unquote(request.target.partition("?")[0])
        if body:
            self.sent.append(RawRequest(request.method, request.target, request.headers, body))
        return self._answer(request.method, path, body or b"")

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        name = path.strip("/").rpartition("/")[2]
        if method == "GET" and not body:
            return self._told(path)
        if name == "_bulk":
            return _json({"took": 1, "errors": False, "items": [{"index": {"_id": "x"}}] * count_actions(body)})
        if name == "_msearch":
            hits = {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}
            one = {
                "took": 1,
                "timed_out": False,
                "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
                "hits": hits,
                "status": 200,
            }
            return _json({"took": 1, "responses": [one] * (body.count(b"\n") // 2)})
        if path == "/_render/template":
            return Answer(200, b'{"template_output":%b}' % (_source_of(body) or b"{}"))
        if "_simulate_index" in path:
            return _json({"template": {}})
        return _json({"acknowledged": True, "took": 1})

    def _told(self, path: str) -> Answer:
        name = path.strip("/")
        if name in {"i", "_all", "i,i", "*"}:
            return _json(INDEX)
        if "/_doc/" in path:
            return _json({"_id": "1", "found": True, "_source": {"one": "stored", "body": "stored"}})
        if path.startswith("/_cat/pit_segments"):
            return Answer(200, b"i\n")
        return _json({"error": {"type": "index_not_found_exception", "index": "missing"}, "status": 404}, 404)


def count_actions(body: bytes) -> int:
    """The actions of a bulk body of plain lines, counted as simply as can be."""
    count, has_source = 0, False
    for line in body.split(b"\n")[:-1]:
        if has_source:
            has_source = False
        elif line.strip():
            count += 1
            has_source = b"delete" not in line
    return count


def _source_of(template: bytes) -> bytes | None:
    try:
        source = json.loads(template)["source"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return json.dumps(source).encode() if isinstance(source, dict) else None


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


class _Raising(logging.Handler):
    """Keeps the error that the face has told its log of, and its client not."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.error = record.exc_info[1]


@dataclass(frozen=True)
class Answered:
    """What a client gets, and the requests with a body that the cluster got meanwhile."""

    status: int
    body: bytes
    sent: Sequence[RawRequest]


class Face:
    """The native face, for one thread."""

    def __init__(self) -> None:
        self._upstream = Upstream()
        upstream = cast(Passthrough, self._upstream)
        reader = ClusterReader(upstream)
        engine, media = cast(EmbeddingEngine, Engine()), cast(MediaEmbedder, Media())
        embedder = NativeEmbedder(engine, media, ModelTable(), aliases={}, device="cpu")
        cluster = cast(Cluster, SimpleNamespace(facts=lambda: SimpleNamespace(version=(3, 5, 0))))
        observer = Observer(Metrics(), slow_limits=SlowLimits({}))
        switches = Switches(JobRecords(cluster), deadline_seconds=0, most_waiting=1)
        callers = Callers(upstream, are_asked_about=False)
        parts = NativeParts(
            upstream, callers, Metadata(reader), Pipelines(reader, embedder), embedder, cluster, observer, switches
        )
        self._parts = parts
        self._face = NativeFace(parts, max_body_bytes=MAX_BODY_BYTES)
        self._failures = _Raising()
        logging.getLogger("sidecar.native.face").addHandler(self._failures)

    def ask(self, method: str, target: str, body: bytes, **headers: str) -> Answered:
        """One request; raises whatever the face has not told of by an answer of its own."""
        environ: Mapping[str, Any] = {
            "REQUEST_METHOD": method,
            "RAW_URI": target,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        self._upstream.sent.clear()
        self._failures.error = None
        # Names that requests have made up are not remembered for the next ones.
        self._parts.metadata.forget()
        self._parts.pipelines.forget()
        told: list[Any] = []
        pieces = self._face(environ, lambda *line: told.append(line))
        content = b"".join(pieces)
        pieces.close()  # type: ignore[attr-defined]
        if self._failures.error is not None:
            raise self._failures.error
        ((status, _),) = told
        return Answered(int(status[:3]), content, list(self._upstream.sent))
