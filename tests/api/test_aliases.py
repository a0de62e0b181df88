"""Other names of indexes: making, moving and removing them, and using them on every route."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import SMALL, MakeClient, Sidecar

DOCUMENTS = [{"_id": "1", "title": "A red car."}, {"_id": "2", "title": "A boat.", "size": 3}]
Answer = requests.Response


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with the documents above."""
    sidecar.add(index, DOCUMENTS)
    return index


@pytest.fixture
def others(sidecar: Sidecar, index_name: str) -> Iterator[list[str]]:
    """Two more indexes, empty, with another model each."""
    names = [f"{index_name}-{number}" for number in range(2)]
    for name, model in zip(names, ("random/medium", "random/small"), strict=True):
        body = {"index_defaults": {"model": model}, "number_of_shards": 1}
        assert sidecar.post(f"/indexes/{name}", body).status_code == 200
    yield names
    for name in names:
        sidecar.delete(f"/indexes/{name}")


def put(sidecar: Sidecar, index: str, alias: str) -> dict[str, Any]:
    answered = sidecar.request("PUT", f"/indexes/{index}/aliases/{alias}")
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def aliases_of(sidecar: Sidecar, index: str) -> list[str]:
    found: list[str] = sidecar.get(f"/indexes/{index}/aliases").json()["aliases"]
    return found


def found_in(sidecar: Sidecar, name: str, **body: Any) -> list[str]:
    answered = sidecar.post(f"/indexes/{name}/search", {"q": "x", **body})
    assert answered.status_code == 200, answered.text
    return [hit["_id"] for hit in answered.json()["hits"]]


# Making, moving, removing


def test_an_alias_is_made_listed_and_removed(sidecar: Sidecar, filled: str) -> None:
    first, second = f"{filled}-a", f"{filled}-b"
    assert aliases_of(sidecar, filled) == []
    assert put(sidecar, filled, second) == {"acknowledged": True, "alias": second, "index": filled, "movedFrom": None}
    assert put(sidecar, filled, first)["movedFrom"] is None
    assert put(sidecar, filled, first)["movedFrom"] is None, "already there"
    assert aliases_of(sidecar, filled) == [first, second]
    answered = sidecar.delete(f"/indexes/{filled}/aliases/{first}")
    assert (answered.status_code, answered.json()) == (200, {"acknowledged": True})
    assert aliases_of(sidecar, filled) == [second]
    assert sidecar.post(f"/indexes/{first}/search", {"q": "x"}).status_code == 404
    assert sorted(found_in(sidecar, filled)) == ["1", "2"]


def test_an_alias_moves_with_its_searches_at_once(sidecar: Sidecar, filled: str, others: list[str]) -> None:
    sidecar.add(others[0], [{"_id": "other", "title": "A plane."}])
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    assert sorted(found_in(sidecar, alias)) == ["1", "2"]
    moved = put(sidecar, others[0], alias)
    assert moved == {"acknowledged": True, "alias": alias, "index": others[0], "movedFrom": filled}
    assert found_in(sidecar, alias) == ["other"]
    assert (aliases_of(sidecar, filled), aliases_of(sidecar, others[0])) == ([], [alias])
    assert put(sidecar, filled, alias)["movedFrom"] == others[0]
    assert sorted(found_in(sidecar, alias)) == ["1", "2"]


def test_an_alias_of_an_alias_is_one_of_the_index(sidecar: Sidecar, filled: str) -> None:
    first, second = f"{filled}-a", f"{filled}-b"
    put(sidecar, filled, first)
    assert put(sidecar, first, second)["index"] == filled
    assert aliases_of(sidecar, second) == [first, second]


def test_an_alias_that_other_indexes_lack_is_not_removed(sidecar: Sidecar, filled: str, others: list[str]) -> None:
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    for index, name in ((others[0], alias), (filled, f"{filled}-*"), (filled, "_all"), (filled, filled)):
        answered = sidecar.delete(f"/indexes/{index}/aliases/{name}")
        assert (answered.status_code, answered.json()["code"]) == (404, "alias_not_found"), name
        assert name in answered.json()["message"]
    assert aliases_of(sidecar, filled) == [alias]


@pytest.mark.parametrize("name", ["ABC", "bulk", "_a", "a,b", "-a", "a%20b", "a*", ".kibana_1", "x" * 256, "%2E"])
def test_names_of_aliases_follow_the_rules_of_indexes(sidecar: Sidecar, index: str, name: str) -> None:
    answered = sidecar.request("PUT", f"/indexes/{index}/aliases/{name}")
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_index_name")
    assert aliases_of(sidecar, index) == []


def test_a_name_is_an_index_or_an_alias(sidecar: Sidecar, filled: str, others: list[str]) -> None:
    for name in (filled, others[0]):
        answered = sidecar.request("PUT", f"/indexes/{filled}/aliases/{name}")
        assert (answered.status_code, answered.json()["code"]) == (409, "index_already_exists")
        assert repr(name) in answered.json()["message"]
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    answered = sidecar.post(f"/indexes/{alias}", SMALL)
    assert (answered.status_code, answered.json()["code"]) == (409, "index_already_exists")
    assert f"alias '{alias}'" in answered.json()["message"]


def test_aliases_of_unknown_indexes_are_told(sidecar: Sidecar, index_name: str) -> None:
    for method, path in (("GET", ""), ("PUT", "/a"), ("DELETE", "/a")):
        answered = sidecar.request(method, f"/indexes/{index_name}/aliases{path}")
        assert (answered.status_code, answered.json()["code"]) == (404, "index_not_found")


def test_indexes_are_listed_without_their_aliases(sidecar: Sidecar, filled: str) -> None:
    put(sidecar, filled, f"{filled}-alias")
    names = [entry["index_name"] for entry in sidecar.get("/indexes").json()["results"]]
    assert filled in names
    assert f"{filled}-alias" not in names


def test_an_index_is_not_deleted_by_an_alias(sidecar: Sidecar, filled: str) -> None:
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    answered = sidecar.delete(f"/indexes/{alias}")
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert f"alias of index '{filled}'" in answered.json()["message"]
    assert sorted(found_in(sidecar, alias)) == ["1", "2"]


def test_an_alias_goes_with_its_index(sidecar: Sidecar, others: list[str]) -> None:
    alias = f"{others[0]}-alias"
    put(sidecar, others[0], alias)
    assert found_in(sidecar, alias) == []
    assert sidecar.delete(f"/indexes/{others[0]}").status_code == 200
    assert sidecar.post(f"/indexes/{alias}/search", {"q": "x"}).json()["code"] == "index_not_found"
    assert put(sidecar, others[1], alias)["movedFrom"] is None


# Every route

Call = Callable[[Sidecar, str], Answer]
TITLED = {"documents": [{"_id": "3", "title": "A tree."}], "tensorFields": ["title"]}


def closed(sidecar: Sidecar, name: str) -> Answer:
    opened = sidecar.post(f"/indexes/{name}/point-in-time")
    if opened.status_code != 200:
        return opened
    return sidecar.request("DELETE", f"/indexes/{name}/point-in-time", {"pointInTime": opened.json()["pointInTime"]})


ROUTES: dict[tuple[str, str], tuple[Call, str]] = {
    ("GET", "/indexes/<index>/settings"): (lambda s, i: s.get(f"/indexes/{i}/settings"), "'model': 'random/small'"),
    ("GET", "/indexes/<index>/stats"): (lambda s, i: s.get(f"/indexes/{i}/stats"), "'numberOfDocuments': 2"),
    ("GET", "/indexes/<index>/health"): (lambda s, i: s.get(f"/indexes/{i}/health"), "'storage_is_available': True"),
    ("POST", "/indexes/<index>/refresh"): (lambda s, i: s.post(f"/indexes/{i}/refresh"), "'successful': 1"),
    ("GET", "/indexes/<index>/aliases"): (lambda s, i: s.get(f"/indexes/{i}/aliases"), "-alias'"),
    ("PUT", "/indexes/<index>/aliases/<alias>"): (
        lambda s, i: s.request("PUT", f"/indexes/{i}/aliases/{i}-more"),
        "'acknowledged': True",
    ),
    ("DELETE", "/indexes/<index>/aliases/<alias>"): (
        lambda s, i: s.delete(f"/indexes/{i}/aliases/{i}"),
        "'acknowledged': True",
    ),
    ("POST", "/indexes/<index>/documents"): (
        lambda s, i: s.post(f"/indexes/{i}/documents", TITLED),
        "'result': 'created'",
    ),
    ("GET", "/indexes/<index>/documents"): (lambda s, i: s.get(f"/indexes/{i}/documents", ["1"]), "'_found': True"),
    ("GET", "/indexes/<index>/documents/<document_id>"): (lambda s, i: s.get(f"/indexes/{i}/documents/1"), "A red car"),
    ("PATCH", "/indexes/<index>/documents"): (
        lambda s, i: s.request("PATCH", f"/indexes/{i}/documents", {"documents": [{"_id": "1", "size": 4}]}),
        "'result': 'updated'",
    ),
    ("POST", "/indexes/<index>/documents/delete-by-query"): (
        lambda s, i: s.post(f"/indexes/{i}/documents/delete-by-query", {"filter": "size:3"}),
        "'deleted': 1",
    ),
    ("POST", "/indexes/<index>/documents/delete-batch"): (
        lambda s, i: s.post(f"/indexes/{i}/documents/delete-batch", ["1"]),
        "'result': 'deleted'",
    ),
    ("POST", "/indexes/<index>/search"): (lambda s, i: s.post(f"/indexes/{i}/search", {"q": "A boat."}), "A red car"),
    ("POST", "/indexes/bulk/search"): (
        lambda s, i: s.post("/indexes/bulk/search", {"queries": [{"index": i, "q": "A boat."}] * 2}),
        "A red car",
    ),
    ("POST", "/indexes/<index>/recommend"): (
        lambda s, i: s.post(f"/indexes/{i}/recommend", {"documents": ["1"]}),
        "A boat.",
    ),
    ("POST", "/indexes/<index>/point-in-time"): (
        lambda s, i: s.post(f"/indexes/{i}/point-in-time"),
        "'keepAlive': '1m'",
    ),
    ("DELETE", "/indexes/<index>/point-in-time"): (closed, "'succeeded': True"),
    ("GET", "/indexes/<index>/details"): (lambda s, i: s.get(f"/indexes/{i}/details"), "random/small"),
    ("GET", "/indexes/<index>/map"): (lambda s, i: s.get(f"/indexes/{i}/map?field=title"), "A red car"),
    ("GET", "/indexes/<index>/fields"): (lambda s, i: s.get(f"/indexes/{i}/fields"), "title"),
    ("GET", "/indexes/<index>/fields/<field>/values"): (
        lambda s, i: s.get(f"/indexes/{i}/fields/title/values"),
        "A red car",
    ),
}
REFUSE_ALIASES = {("POST", "/indexes/<index>"), ("DELETE", "/indexes/<index>")}
"""Making and deleting an index, which are told of above."""
ANSWER_NO_JSON = {("GET", "/indexes/<index>/picture")}
"""Pictures, which `tests/api/test_pictures.py` asks for by an alias too."""


def test_no_route_of_indexes_is_forgotten_here(make_client: MakeClient) -> None:
    app = make_client(opensearch_url="http://127.0.0.1:9").application
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/indexes/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes - REFUSE_ALIASES - ANSWER_NO_JSON == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_takes_an_alias_for_its_index(sidecar: Sidecar, filled: str, route: tuple[str, str]) -> None:
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    call, told = ROUTES[route]
    answered = call(sidecar, alias)
    assert answered.status_code == 200, answered.text
    assert told in str(answered.json())


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_refuses_an_alias_of_several_indexes(
    sidecar: Sidecar, node: str, filled: str, others: list[str], route: tuple[str, str]
) -> None:
    alias = f"{filled}-both"
    for index in (filled, others[1]):
        assert request(node, "PUT", f"/{index}/_alias/{alias}")[0] == 200
    answered = ROUTES[route][0](sidecar, alias)
    assert (answered.status_code, answered.json()["code"]) == (400, "document_not_found"), answered.text
    assert f"'{alias}' stands for 2 indexes: {filled}, {others[1]}" in answered.json()["message"]


def test_an_alias_of_several_indexes_is_not_moved_or_deleted(
    sidecar: Sidecar, node: str, filled: str, others: list[str]
) -> None:
    alias = f"{filled}-both"
    for index in (filled, others[1]):
        assert request(node, "PUT", f"/{index}/_alias/{alias}")[0] == 200
    for method, path in (("PUT", f"{filled}/aliases/{alias}"), ("DELETE", alias)):
        assert "stands for 2 indexes" in sidecar.request(method, f"/indexes/{path}").json()["message"]
    assert sidecar.delete(f"/indexes/{others[1]}/aliases/{alias}").status_code == 200
    assert put(sidecar, others[1], alias)["movedFrom"] == filled


def test_what_is_added_by_an_alias_is_found_by_every_name_at_once(sidecar: Sidecar, filled: str) -> None:
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    for added_by, name in ((alias, "one"), (filled, "two")):
        for searched in (filled, alias):
            found_in(sidecar, searched)
        answered = sidecar.add(added_by, [{"_id": name, f"own {name}": f"New {name}."}], tensor_fields=(f"own {name}",))
        assert (answered["errors"], answered["index_name"]) == (False, added_by)
        for searched in (filled, alias):
            assert found_in(sidecar, searched, q=f"New {name}.", limit=1) == [name]


def test_the_filter_of_an_alias_made_elsewhere_holds(sidecar: Sidecar, node: str, filled: str) -> None:
    alias = f"{filled}-narrow"
    body = f'{{"actions":[{{"add":{{"index":"{filled}","alias":"{alias}","filter":{{"term":{{"size":3}}}}}}}}]}}'
    assert request(node, "POST", "/_aliases", body)[0] == 200
    assert found_in(sidecar, alias) == ["2"]
    assert found_in(sidecar, alias, searchMethod="LEXICAL", q="red boat") == ["2"]
    assert sidecar.get(f"/indexes/{alias}/stats").json()["numberOfDocuments"] == 1
    recommended = sidecar.post(f"/indexes/{alias}/recommend", {"documents": ["1"]}).json()["hits"]
    assert [hit["_id"] for hit in recommended] == ["2"]
    everything = sidecar.post(f"/indexes/{filled}/point-in-time").json()["pointInTime"]
    answered = sidecar.post(f"/indexes/{alias}/search", {"q": "x", "pointInTime": everything})
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")


# While aliases move


def test_searches_never_fail_while_an_alias_moves(
    sidecar: Sidecar, make_client: MakeClient, node: str, filled: str, others: list[str]
) -> None:
    """In the process that moves it and in another one; the indexes have models and fields of their own."""
    sidecar.add(others[0], [{"_id": "other", "heading": "A plane."}], tensor_fields=("heading",))
    alias = f"{filled}-alias"
    put(sidecar, filled, alias)
    elsewhere = make_client(opensearch_url=node)
    is_over = threading.Event()
    expected = ({"1", "2"}, {"other"})

    def search_elsewhere() -> int:
        count = 0
        while not is_over.is_set():
            for path, body in (("search", {"q": "x"}), ("recommend", {"documents": ["other"]})):
                answered = elsewhere.post(f"/indexes/{alias}/{path}", json=body)
                # Documents of the one index are none of the other's.
                assert answered.status_code == 200 or answered.json["code"] == "document_not_found", answered.text
                if path == "search":
                    assert {hit["_id"] for hit in answered.json["hits"]} in expected
                count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        searching = pool.submit(search_elsewhere)
        try:
            for number in range(60):
                target = (others[0], filled)[number % 2]
                put(sidecar, target, alias)
                assert set(found_in(sidecar, alias)) == expected[(number + 1) % 2]
                assert set(found_in(sidecar, alias, searchMethod="LEXICAL", q="a")) == expected[(number + 1) % 2]
        finally:
            is_over.set()
        assert searching.result() > 10


def test_an_index_may_be_deleted_once_its_alias_has_moved(
    sidecar: Sidecar, make_client: MakeClient, node: str, others: list[str]
) -> None:
    """Another sidecar that still takes the alias for the old index looks again."""
    for index, document_id in zip(others, ("old", "new"), strict=True):
        sidecar.add(index, [{"_id": document_id, "title": "A plane."}, {"_id": "both", "title": "A bird."}])
    alias = f"{others[0]}-alias"
    put(sidecar, others[0], alias)
    elsewhere = make_client(opensearch_url=node)
    searches: list[tuple[str, dict[str, Any]]] = [
        (f"/indexes/{alias}/search", {"q": "A plane.", "limit": 1}),
        (f"/indexes/{alias}/recommend", {"documents": ["both"]}),
    ]
    for path, body in searches:
        assert elsewhere.post(path, json=body).json["hits"][0]["_id"] == "old"
    put(sidecar, others[1], alias)
    assert sidecar.delete(f"/indexes/{others[0]}").status_code == 200
    for path, body in searches:
        answered = elsewhere.post(path, json=body)
        assert answered.status_code == 200, answered.text
        assert answered.json["hits"][0]["_id"] == "new"


def test_several_that_move_an_alias_at_once_leave_it_on_one_index(
    sidecar: Sidecar, make_client: MakeClient, node: str, filled: str, others: list[str]
) -> None:
    alias = f"{filled}-alias"
    apps = [make_client(opensearch_url=node).application for _ in range(3)]
    indexes = [filled, *others]
    for _ in range(8):
        barrier = threading.Barrier(3)

        def move(number: int, barrier: threading.Barrier = barrier) -> int:
            barrier.wait()
            status: int = apps[number].test_client().put(f"/indexes/{indexes[number]}/aliases/{alias}").status_code
            return status

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(move, range(3))) == [200] * 3
        holders = [index for index in indexes if aliases_of(sidecar, index) == [alias]]
        assert len(holders) == 1
        assert sidecar.delete(f"/indexes/{holders[0]}/aliases/{alias}").status_code == 200
