"""Searches of the native face whose index is deleted while they run, since its name became another's alias."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sidecar.native.face import NativeFace
from sidecar.opensearch.passthrough import Passthrough, RawAnswer, RawRequest
from tests.fix_server import Sidecar
from tests.native.writes.in_process import ask, face_of
from tests.native.writes.written import Answered
from tests.switched import TEXTS, Switched, switched

TEXT = TEXTS[1]
_send = Passthrough.send


@dataclass
class Losing:
    """A cluster whose next search fails as one whose index is deleted fails, after that index was; ``failing`` is a
    search, by an index's name or a body, that the cluster answers so."""

    failing: tuple[str, dict[str, Any]]
    before: Callable[[], None]
    sent: list[str] = field(default_factory=list)

    def send(self, upstream: Passthrough, request: RawRequest) -> RawAnswer:
        path = request.target.partition("?")[0]
        if not path.endswith(("/_search", "/_msearch")):
            return _send(upstream, request)
        self.sent.append(request.target)
        if len(self.sent) > 1:
            return _send(upstream, request)
        self.before()
        index, search = self.failing
        if path.endswith("/_search"):
            failed = replace(request, target=f"{index and '/'}{index}/_search", body=json.dumps(search).encode())
            headers = [("content-type", "application/json")]
            return _send(upstream, replace(failed, method="POST", headers=headers, length=None))
        assert isinstance(request.body, bytes)
        header = {"index": index} if index else {}
        line = f"{json.dumps(header)}\n{json.dumps(search)}\n".encode()
        body = line * (request.body.count(b"\n") // 2)
        return _send(upstream, replace(request, target="/_msearch", body=body, length=None))


@pytest.fixture
def names(sidecar: Sidecar) -> Iterator[Switched]:
    with switched(sidecar) as made:
        yield made


@pytest.fixture
def own_name(names: Switched) -> str:
    """An index of its own name, with the documents of the old one."""
    name = f"{names.name}-plain"
    mappings = names.put("GET", f"/{names.old}")[names.old]["mappings"]
    names.put("PUT", f"/{name}", {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": mappings})
    names.put("POST", "/_reindex?refresh=true", {"source": {"index": names.old}, "dest": {"index": name}})
    return name


@pytest.fixture(params=["before the first phase", "before the second phase"])
def failing(request: pytest.FixtureRequest, names: Switched) -> Iterator[tuple[str, dict[str, Any]]]:
    """A search that the cluster answers with 503, all shards failed, or with 404, as without the context of the first
    phase: that of an index that no node may hold, and that of a point in time that is closed."""
    if request.param == "before the first phase":
        index = f"test-{uuid.uuid4().hex[:12]}"
        nowhere = {"number_of_shards": 1, "routing.allocation.require._name": "nobody"}
        names.put("PUT", f"/{index}?wait_for_active_shards=0", {"settings": {"index": nowhere}})
        yield index, {}
        names.put("DELETE", f"/{index}")
        return
    point = names.put("POST", f"/{names.old}/_search/point_in_time?keep_alive=1m")["pit_id"]
    names.put("DELETE", "/_search/point_in_time", {"pit_id": [point]})
    yield "", {"pit": {"id": point}}


def neural(text: str) -> dict[str, Any]:
    return {"neural": {"title": {"query_text": text}}}


def search(face: NativeFace, target: str, body: Any, method: str = "POST") -> Answered:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(face, method, target, data)


def line(name: str, body: Any) -> bytes:
    return f"{json.dumps({'index': name})}\n{json.dumps(body)}\n".encode()


HYBRID = {"query": {"hybrid": {"queries": [neural(TEXT), {"match": {"title": TEXT}}]}}}
PLAIN = {"query": {"match": {"title": "bird"}}}
SEARCHES: dict[str, Callable[[NativeFace, str], Answered]] = {
    "neural": lambda face, name: search(face, f"/{name}/_search", {"query": neural(TEXT)}),
    "neural line": lambda face, name: search(face, "/_msearch", line(name, {"query": neural(TEXT)})),
    "hybrid": lambda face, name: search(face, f"/{name}/_search", HYBRID),
    "hybrid line": lambda face, name: search(face, "/_msearch", line(name, HYBRID)),
    "plain": lambda face, name: search(face, f"/{name}/_search", PLAIN),
    "plain, without a body": lambda face, name: search(face, f"/{name}/_search?q=title:bird", b"", "GET"),
}


@contextmanager
def losing_face(names: Switched, losing: Losing, patch: pytest.MonkeyPatch) -> Iterator[NativeFace]:
    def send(upstream: Passthrough, request: RawRequest) -> RawAnswer:
        return losing.send(upstream, request)

    patch.setattr(Passthrough, "send", send)
    with face_of(opensearch_url=names.node) as (_, face):
        yield face


def only_answer(answered: Answered) -> dict[str, Any]:
    """A search's answer, or that of the only line."""
    answer: dict[str, Any] = answered.json()
    return answer["responses"][0] if "responses" in answer else answer


def found(answered: Answered) -> dict[str, Any]:
    """The answer of a search that did not fail."""
    assert answered.status == 200, answered.body
    answer = only_answer(answered)
    assert "error" not in answer, answered.body
    return answer


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_whose_index_gives_its_name_away_finds_what_the_name_leads_to(
    names: Switched,
    own_name: str,
    failing: tuple[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    def give_away() -> None:
        actions = [{"remove_index": {"index": own_name}}, {"add": {"index": names.new, "alias": own_name}}]
        names.put("POST", "/_aliases", {"actions": actions})

    losing = Losing(failing, give_away)
    with losing_face(names, losing, monkeypatch) as face:
        hit = found(SEARCHES[kind](face, own_name))["hits"]["hits"][0]
    assert (hit["_index"], hit["_id"]) == (names.new, "1")
    if kind.startswith("neural"):
        # Embedded anew, by the model of the index that was found.
        assert hit["_score"] == pytest.approx(1.0)
    assert len(losing.sent) == 2


@pytest.mark.parametrize("kind", ["neural", "neural line", "hybrid", "plain"])
def test_a_search_that_fails_where_the_name_stays_is_answered_with_the_clusters_error(
    names: Switched,
    own_name: str,
    failing: tuple[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    losing = Losing(failing, lambda: None)
    with losing_face(names, losing, monkeypatch) as face:
        answer = only_answer(SEARCHES[kind](face, own_name))
    assert answer["error"]["type"] == "search_phase_execution_exception"
    assert answer["status"] == (503 if failing[0] else 404)
    assert len(losing.sent) == 1
    names.put("DELETE", f"/{own_name}")


def test_an_expired_point_in_time_is_told_at_once(
    names: Switched, own_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names no index: there is nothing that could have moved."""
    point = names.put("POST", f"/{own_name}/_search/point_in_time?keep_alive=1m")["pit_id"]
    names.put("DELETE", "/_search/point_in_time", {"pit_id": [point]})
    losing = Losing(("", {"pit": {"id": point}}), lambda: None)
    with losing_face(names, losing, monkeypatch) as face:
        answered = search(face, "/_search", {"pit": {"id": point}, **PLAIN})
    assert answered.status == 404
    assert b"search_context_missing_exception" in answered.body
    assert len(losing.sent) == 1
    names.put("DELETE", f"/{own_name}")


def test_a_document_that_tells_of_failed_searches_is_no_failed_search(
    names: Switched, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"title": TEXT, "responses": [{"error": {"type": "search_phase_execution_exception"}, "status": 503}]}
    targets = []

    def send(upstream: Passthrough, request: RawRequest) -> RawAnswer:
        targets.append(request.target)
        return _send(upstream, request)

    with face_of(opensearch_url=names.node) as (_, face):
        assert ask(face, "PUT", f"/{names.new}/_doc/told?refresh=true", json.dumps(told).encode()).status == 201
        monkeypatch.setattr(Passthrough, "send", send)
        answer = found(search(face, "/_msearch", line(names.new, {"query": neural(TEXT)})))
    assert {"1", "told"} <= {hit["_id"] for hit in answer["hits"]["hits"]}
    assert targets.count("/_msearch") == 1
    # Nothing was read to see whether the name moves.
    assert len(targets) <= 2
