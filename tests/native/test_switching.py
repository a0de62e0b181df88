"""Writes and searches of the native face while an index is being switched to another one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sidecar.native.embedder import NativeEmbedder
from sidecar.native.writes.inputs import RequestInputs
from tests.fix_server import Sidecar
from tests.native.writes.in_process import ask, face_of
from tests.native.writes.written import Port
from tests.switched import TEXTS, Switched, is_held_up, meanwhile, switched

NEW = "A yellow kite."
DOCUMENT = {"title": NEW, "mark": "new"}


@pytest.fixture
def names(sidecar: Sidecar) -> Iterator[Switched]:
    with switched(sidecar) as made:
        yield made


@pytest.fixture
def native(sidecar: Sidecar) -> Port:
    return Port(sidecar.native_url)


def lines(*values: Any) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def neural(text: str, **parameters: Any) -> dict[str, Any]:
    return {"neural": {"title": {"query_text": text, **parameters}}}


def body_of(text: str) -> dict[str, Any]:
    return {"query": neural(text), "_source": {"excludes": ["__embeddings.*"]}}


def best(port: Port, name: str, text: str) -> tuple[str, float]:
    hit = port.send("POST", f"/{name}/_search", body_of(text)).json()["hits"]["hits"][0]
    return hit["_id"], hit["_score"]


WRITES: dict[str, tuple[str, str, Any]] = {
    "_doc": ("PUT", "/{name}/_doc/1?refresh=true", DOCUMENT),
    "_doc without id": ("POST", "/{name}/_doc?refresh=true", DOCUMENT),
    "_create": ("PUT", "/{name}/_create/5?refresh=true", DOCUMENT),
    "_update": ("POST", "/{name}/_update/1?refresh=true", {"doc": DOCUMENT}),
    "_bulk": ("POST", "/{name}/_bulk?refresh=true", lines({"index": {"_id": "1"}}, DOCUMENT)),
    "_bulk by its lines": ("POST", "/_bulk?refresh=true", '{{"index":{{"_index":"{name}","_id":"1"}}}}\n%s'),
}


@pytest.mark.parametrize("kind", WRITES)
def test_a_write_waits_for_the_switch_and_is_done_in_the_new_index(native: Port, names: Switched, kind: str) -> None:
    method, path, body = WRITES[kind]
    if kind == "_bulk by its lines":
        body = body.format(name=names.name) % lines(DOCUMENT)
    assert best(native, names.name, TEXTS[0]) == ("0", pytest.approx(1.0))
    names.migrate()
    names.block()
    with meanwhile(lambda: native.send(method, path.format(name=names.name), body)) as written:
        assert is_held_up(written)
        names.move()
        answered = written.result()
    assert answered.status in (200, 201), answered.body
    outcome = next(iter(answered.json()["items"][0].values())) if "_bulk" in kind else answered.json()
    assert outcome["_index"] == names.new
    # Embedded by the new index's model, as queries are.
    assert best(native, names.name, NEW) == (outcome["_id"], pytest.approx(1.0))
    assert NEW not in {document["title"] for document in names.documents(names.old).values()}


def test_a_deletion_waits_for_the_switch(native: Port, names: Switched) -> None:
    names.migrate()
    names.block()
    with meanwhile(lambda: native.send("DELETE", f"/{names.name}/_doc/1")) as written:
        assert is_held_up(written)
        names.move()
        assert written.result().json()["_index"] == names.new
    assert set(names.documents(names.new)) == {"0", "2"}


@pytest.mark.parametrize("headers", [{}, {"accept_encoding": "gzip"}])
def test_refused_actions_alone_are_sent_again_and_answered_in_their_places(
    sidecar: Sidecar, native: Port, names: Switched, headers: dict[str, str]
) -> None:
    actions = [
        ({"index": {"_id": "1"}}, {"title": "First."}),
        ({"create": {"_index": names.new, "_id": "a"}}, DOCUMENT),
        ({"index": {"_id": "bad"}}, {"mark": {"is": "an object"}}),
        ({"delete": {"_id": "2"}}, None),
        ({"index": {"_id": "1"}}, DOCUMENT),
        ({"create": {"_id": "0"}}, DOCUMENT),
    ]
    body = lines(*(part for pair in actions for part in pair if part is not None))
    names.migrate()
    names.block()
    with meanwhile(lambda: native.send("POST", f"/{names.name}/_bulk?refresh=true", body, **headers)) as written:
        assert is_held_up(written)
        assert names.documents(names.new)["a"]["title"] == NEW
        names.move()
        answered = written.result().json()
    outcomes = [(action, outcome["_id"], outcome["status"]) for i in answered["items"] for action, outcome in i.items()]
    assert outcomes == [
        ("index", "1", 200),
        ("create", "a", 201),
        ("index", "bad", 400),
        ("delete", "2", 200),
        ("index", "1", 200),
        ("create", "0", 409),
    ]
    assert answered["errors"] is True
    assert set(names.documents(names.new)) == {"0", "1", "a"}
    assert names.documents(names.new)["1"]["title"] == NEW


def test_a_block_of_somebody_elses_passes_as_it_is(native: Port, names: Switched) -> None:
    names.block()
    direct = Port(names.node)
    for method, path, body in (
        ("PUT", f"/{names.old}/_doc/1", DOCUMENT),
        ("DELETE", f"/{names.old}/_doc/1", None),
        ("POST", f"/{names.old}/_bulk", lines({"index": {"_id": "1"}}, DOCUMENT)),
    ):
        answered, expected = (port.send(method, path, body) for port in (native, direct))
        assert answered.status == expected.status
        told, meant = (json.loads(one.body) | {"took": 0} for one in (answered, expected))
        assert told == meant


def test_a_write_that_waits_in_vain_is_told_to_come_again(names: Switched) -> None:
    names.migrate()
    names.block()
    with face_of(opensearch_url=names.node, opensearch_retry_deadline=0.3) as (_, face):
        single = ask(face, "PUT", f"/{names.name}/_doc/1", json.dumps(DOCUMENT).encode())
        assert (single.status, single.json()["error"]["type"]) == (503, "cluster_block_exception")
        body = lines({"index": {"_id": "1"}}, DOCUMENT, {"delete": {"_id": "2"}}).encode()
        answered = ask(face, "POST", f"/{names.name}/_bulk", body).json()
        for item in answered["items"]:
            (outcome,) = item.values()
            assert outcome["status"] == 503
            assert "is write-blocked" in outcome["error"]["reason"]
        assert answered["errors"] is True


def test_a_write_by_an_alias_that_has_moved_is_embedded_for_its_new_index(native: Port, names: Switched) -> None:
    """Without a migration, as by the routes of the `/indexes` API for aliases."""
    for number, target in enumerate((names.new, names.old, names.new)):
        names.move(target)
        text = f"Text {number}."
        answered = native.send("POST", f"/{names.name}/_bulk?refresh=true", lines({"index": {}}, {"title": text}))
        assert answered.json()["items"][0]["index"]["_index"] == target
        assert best(native, target, text)[1] == pytest.approx(1.0)


def test_a_filtered_alias_is_searched_by_its_own_name(native: Port, names: Switched) -> None:
    narrow = {"index": names.old, "alias": f"{names.name}-1", "filter": {"ids": {"values": ["1"]}}}
    names.put("POST", "/_aliases", {"actions": [{"add": narrow}]})
    hits = native.send("POST", f"/{names.name}-1/_search", body_of(TEXTS[0])).json()["hits"]["hits"]
    assert [hit["_id"] for hit in hits] == ["1"]


# Searches


def by_search(port: Port, name: str, text: str) -> Any:
    return port.send("POST", f"/{name}/_search", body_of(text))


def by_multi_search(port: Port, name: str, text: str) -> Any:
    return port.send("POST", "/_msearch", lines({"index": name}, body_of(text)))


def by_multi_search_of_the_path(port: Port, name: str, text: str) -> Any:
    return port.send("POST", f"/{name}/_msearch", lines({}, body_of(text)))


def by_hybrid(port: Port, name: str, text: str) -> Any:
    other = {"neural": {"title": {"query_text": text, "k": 3}}}
    return port.send("POST", f"/{name}/_search", {"query": {"hybrid": {"queries": [neural(text), other]}}})


def by_hybrid_line(port: Port, name: str, text: str) -> Any:
    return port.send("POST", "/_msearch", lines({"index": name}, {"query": {"hybrid": {"queries": [neural(text)]}}}))


SEARCHES: list[Callable[[Port, str, str], Any]] = [
    by_search,
    by_multi_search,
    by_multi_search_of_the_path,
    by_hybrid,
    by_hybrid_line,
]


def hits_of(answered: Any) -> list[dict[str, Any]]:
    assert answered.status == 200, answered.body
    found = answered.json()
    found = found["responses"][0] if "responses" in found else found
    assert "error" not in found, answered.body
    hits: list[dict[str, Any]] = found["hits"]["hits"]
    return hits


@pytest.mark.parametrize("search", SEARCHES)
def test_searches_never_mix_models_while_the_name_moves(
    sidecar: Sidecar, names: Switched, search: Callable[[Port, str, str], Any]
) -> None:
    """Each index holds the text that is asked for, so that the best score is 1 by the index's own model only."""
    is_over = threading.Event()

    def searching() -> int:
        port, count = Port(sidecar.native_url), 0
        while not is_over.is_set():
            hits = hits_of(search(port, names.name, TEXTS[1]))
            assert (hits[0]["_id"], hits[0]["_score"]) == ("1", pytest.approx(1.0))
            assert len({hit["_index"] for hit in hits}) == 1
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(searching)
        try:
            for number in range(16):
                names.move((names.new, names.old)[number % 2])
                time.sleep(0.05)
        finally:
            is_over.set()
        assert running.result() > 16


@pytest.mark.parametrize("search", SEARCHES)
def test_an_index_may_be_deleted_once_its_alias_has_moved(
    native: Port, names: Switched, search: Callable[[Port, str, str], Any]
) -> None:
    assert {hit["_index"] for hit in hits_of(search(native, names.name, TEXTS[1]))} == {names.old}
    names.move()
    names.put("DELETE", f"/{names.old}")
    assert {hit["_index"] for hit in hits_of(search(native, names.name, TEXTS[1]))} == {names.new}


@pytest.mark.parametrize("kind", ["search", "_doc", "_bulk"])
def test_what_was_made_for_an_index_whose_name_is_an_alias_by_now_is_made_anew(
    names: Switched, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As in the first migration of an index, whose own name becomes the alias, while a model takes its time."""
    name = f"{names.name}-plain"
    mappings = names.put("GET", f"/{names.old}")[names.old]["mappings"]
    names.put("PUT", f"/{name}", {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": mappings})
    embed_queries, embed = NativeEmbedder.embed_queries, RequestInputs.embed
    with face_of(opensearch_url=names.node) as (_, face):
        switches = [{"remove_index": {"index": name}}, {"add": {"index": names.new, "alias": name}}]

        def switch() -> None:
            if switches:
                names.put("POST", "/_aliases", {"actions": switches})
                switches.clear()
                # What is kept of the name is older by now than it may be.
                face._parts.metadata.forget()

        def slow_queries(self: NativeEmbedder, asked: Any) -> Any:
            vectors = embed_queries(self, asked)
            switch()
            return vectors

        def slow_documents(self: RequestInputs) -> None:
            embed(self)
            switch()

        monkeypatch.setattr(NativeEmbedder, "embed_queries", slow_queries)
        monkeypatch.setattr(RequestInputs, "embed", slow_documents)
        text = TEXTS[1]
        if kind == "_doc":
            text = NEW
            assert ask(face, "PUT", f"/{name}/_doc/1?refresh=true", json.dumps(DOCUMENT).encode()).status == 200
        elif kind == "_bulk":
            text = NEW
            body = lines({"index": {"_id": "1"}}, DOCUMENT).encode()
            assert ask(face, "POST", f"/{name}/_bulk?refresh=true", body).json()["errors"] is False
        hits = ask(face, "POST", f"/{name}/_search", json.dumps(body_of(text)).encode()).json()["hits"]["hits"]
        assert (hits[0]["_id"], hits[0]["_score"]) == ("1", pytest.approx(1.0))
