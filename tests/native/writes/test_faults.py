"""Writes when the model, the queue or the cluster fails: nothing is stored without its vector, or told twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from sidecar.api.services import EXTENSION
from sidecar.embedding.loader import Embeddings, Modality, Prepared
from sidecar.errors import InvalidArgument, OpenSearchUnreachable
from sidecar.native.face import NativeFace
from sidecar.native.parts import NativeCall, NativeParts
from sidecar.native.request import NativeRequest
from sidecar.native.writes.bulk_sending import BulkPart, send_parts
from sidecar.native.writes.grammar import read_actions
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.passthrough import Passthrough
from tests.fault_server import HANG_UP, FaultServer, answer
from tests.native.writes.in_process import ask, face_of
from tests.native.writes.written import VECTOR, Answered, Port, make_index

LINES = b'{"index":{"_id":"1"}}\n{"body":"a cat"}\n'


class HeldLoader:
    """A model that runs when it is let go."""

    dimensions = 2
    modalities = frozenset({Modality.TEXT})
    backend = "held"
    memory_bytes = 0

    def __init__(self) -> None:
        self.may_run = threading.Event()

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text, 1) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        self.may_run.wait(30)
        return np.zeros((len(batch), 2), dtype=np.float32)

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        raise NotImplementedError


@pytest.mark.usefixtures("own_hub_cache")
def test_writes_that_need_a_model_that_is_away_get_503_and_others_pass(
    node: str, direct: Port, index_name: str
) -> None:
    make_index(
        direct, index_name, {"v": {"source": "body", "model": "hf/e5-small"}}, {"v": {**VECTOR, "dimension": 384}}
    )
    with face_of(opensearch_url=node) as (_, face):
        for method, path, body in (
            ("POST", f"/{index_name}/_bulk", LINES),
            ("PUT", f"/{index_name}/_doc/1", b'{"body":"a cat"}'),
            ("POST", f"/{index_name}/_update/1", b'{"doc":{"body":"a cat"},"doc_as_upsert":true}'),
        ):
            told = ask(face, method, path, body)
            assert (told.status, told.json()["error"]["type"]) == (503, "status_exception")
        assert ask(face, "PUT", f"/{index_name}/_doc/1", b'{"n":1}').status == 201
        assert ask(face, "GET", f"/{index_name}/_doc/1").json()["_source"] == {"n": 1}


def test_a_full_queue_gets_429_and_nothing_is_sent(node: str, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    loader = HeldLoader()
    with face_of(opensearch_url=node, embedding_queue=1, embedding_threads=1) as (app, face):
        engine = app.extensions[EXTENSION].engine
        try:
            for _ in range(2):
                engine.submit_prepared(loader, Modality.TEXT, loader.prepare_text(["a"] * 40))
            told = ask(face, "POST", f"/{index_name}/_bulk", LINES)
            assert (told.status, told.json()["error"]["type"]) == (429, "rejected_execution_exception")
            assert told.header("retry-after") == "1"
        finally:
            loader.may_run.set()
    assert direct.send("GET", f"/{index_name}/_doc/1").status == 404


def test_a_body_that_outgrew_the_limit_goes_in_several_requests(node: str, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    lines = [b'{"index":{"_id":"%d"}}\n{"body":%s}\n' % (n, b"7" if n == 3 else b'"text %d"' % n) for n in range(7)]
    with face_of(opensearch_url=node) as (_, face):
        small = NativeFace(face._parts, max_body_bytes=700)
        told = ask(small, "POST", f"/{index_name}/_bulk?refresh=true&filter_path=items", b"".join(lines) + b"\n")
    items = told.json()["items"]
    assert [(item["index"]["_id"], item["index"]["status"]) for item in items] == [
        (str(number), 400 if number == 3 else 201) for number in range(7)
    ]
    assert list(told.json()) == ["items"]
    assert direct.done("GET", f"/{index_name}/_count")["count"] == 6


def merged(
    replies: Sequence[bytes], *, target: str = "/i/_bulk", accept_encoding: str = "gzip"
) -> tuple[Answered, Any]:
    """The answer to four actions in three parts, the first of them poison, and the requests that were sent."""
    actions = read_actions(b"".join(b'{"index":{"_index":"i","_id":"%d"}}\n{}\n' % number for number in range(4)))
    parts = [BulkPart([number], b'{"index":{"_id":"%d"}}\n{}\n' % number) for number in (1, 2, 3)]
    with FaultServer(replies) as server:
        upstream = Passthrough(ClusterAddress(server.url), TransportOptions(timeout_seconds=5))
        request = NativeRequest("POST", target, [("accept-encoding", accept_encoding)], cast(Any, None), None)
        call = NativeCall(cast(NativeParts, _Upstream(upstream)), request, {})
        told = send_parts(call, actions, parts, {0: InvalidArgument("no")})
        upstream.close()
        return Answered(told.status, list(told.headers), b"".join(told.body)), server.requests


class _Upstream:
    def __init__(self, upstream: Passthrough) -> None:
        self.upstream = upstream


def item(number: int) -> bytes:
    return answer(b'{"took":2,"ingest_took":1,"errors":false,"items":[{"index":{"_id":"%d","status":201}}]}' % number)


BUSY = answer(
    b'{"error":{"type":"rejected_execution_exception","reason":"busy"},"status":429}', "429 Too Many Requests"
)


def test_a_later_part_that_fails_is_told_by_its_items() -> None:
    told, requests = merged([item(1), BUSY])
    assert len(requests) == 2
    assert [one["index"]["status"] for one in told.json()["items"]] == [400, 201, 429, 429]
    assert told.body.startswith(b'{"took":2,"ingest_took":1,"errors":true,"items":[')
    assert told.json()["items"][3]["index"]["error"] == {"type": "rejected_execution_exception", "reason": "busy"}


def test_a_connection_that_ends_leaves_the_rest_unsent() -> None:
    told, requests = merged([item(1), HANG_UP])
    assert len(requests) == 2
    assert [one["index"]["status"] for one in told.json()["items"]] == [400, 201, 502, 502]


def test_a_first_part_that_fails_is_the_answer() -> None:
    told, requests = merged([BUSY])
    assert (told.status, len(requests)) == (429, 1)
    assert json.loads(told.body)["error"]["reason"] == "busy"
    with pytest.raises(OpenSearchUnreachable):
        merged([HANG_UP])


def test_a_part_that_is_too_large_fails_alone() -> None:
    too_large = answer(b"", "413 Request Entity Too Large")
    told, _ = merged([too_large, item(2), item(3)])
    assert [one["index"]["status"] for one in told.json()["items"]] == [400, 413, 201, 201]


def test_what_shapes_an_answer_is_not_sent_on() -> None:
    target = "/i/_bulk?pretty&filter_path=took&refresh=true"
    told, requests = merged([item(1), item(2), item(3)], target=target)
    assert requests[0].first_line == "POST /i/_bulk?refresh=true HTTP/1.1"
    assert "accept-encoding" not in requests[0].head.lower()
    assert told.body == b'{\n  "took" : 6\n}\n'


def test_the_model_of_a_declaration_must_be_served(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name, {"v": {"source": "body", "model": "nobody/knows"}}, {"v": VECTOR})
    told = native.send("POST", f"/{index_name}/_bulk", LINES)
    assert told.status == 400
    assert "nobody/knows" in told.json()["error"]["reason"]
    assert direct.send("GET", f"/{index_name}/_doc/1").status == 404
