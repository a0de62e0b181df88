"""What users may do through the sidecar is what the cluster lets them do, and no more."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.fix_server import Sidecar
from tests.native.security.fix_secured_node import BOOKS, SecuredNode, ask, index_body
from tests.native.security.users import (
    ADMIN,
    BLINDED,
    FOREIGNER,
    INDEXER,
    NOBODY,
    PASSWORD,
    READER,
    ROLES,
    SEARCHER,
    SERVICE,
    WRITER,
)

ALL: dict[str, Any] = {
    "query": {"match_all": {}},
    "sort": ["lang", "_doc"],
    "_source": {"excludes": ["body_vector"]},
}
NEURAL: dict[str, Any] = {
    "query": {"neural": {"body_vector": {"query_text": "wild west", "k": 10}}},
    "_source": {"excludes": ["body_vector"]},
}
REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/", None),
    ("GET", "/_cat/indices?format=json&h=index", None),
    ("GET", "/_cluster/state", None),
    ("GET", "/books/_mapping", None),
    ("GET", "/secrets/_mapping", None),
    ("POST", "/books/_search", ALL),
    ("POST", "/secrets/_search", ALL),
    ("POST", "/*/_search", ALL),
    ("POST", "/no-such-index/_search", ALL),
    ("GET", "/books/_doc/2?_source_excludes=body_vector", None),
    ("POST", "/books/_count", {"query": {"term": {"secret": "red"}}}),
    ("DELETE", "/books/_doc/none", None),
    ("PUT", "/books-made-by-nobody-who-may", {"mappings": {"dynamic": "never"}}),
    ("POST", "/secrets/_update_by_query", {}),
    ("GET", "/_plugins/_security/authinfo?filter_path=user_name,roles", None),
    ("GET", "/_plugins/_security/api/internalusers", None),
]


def told(answer: requests.Response) -> tuple[int, Any]:
    """The status and the body without what differs from call to call."""
    try:
        body = answer.json()
    except ValueError:
        return answer.status_code, answer.text
    if isinstance(body, dict):
        for name in ("took", "_shards", "_seq_no", "_version"):
            body.pop(name, None)
    return answer.status_code, body


def ids(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [hit["_id"] for hit in answer.json()["hits"]["hits"]]


@pytest.fixture(params=["as callers", "with an account"])
def either(request: pytest.FixtureRequest, library: SecuredNode) -> Sidecar:
    """Both ways to read what indexes are."""
    name = "secured_sidecar" if request.param == "as callers" else "account_sidecar"
    running: Sidecar = request.getfixturevalue(name)
    return running


@pytest.mark.parametrize("user", [None, NOBODY, READER, SEARCHER, WRITER, FOREIGNER, BLINDED, INDEXER, SERVICE])
def test_answers_are_those_that_the_cluster_gives_the_user(
    library: SecuredNode, either: Sidecar, user: str | None
) -> None:
    for method, target, body in REQUESTS:
        direct = library.request(method, target, user, json=body)
        assert told(ask(either, method, target, user, json=body)) == told(direct), target


def test_reader_searches_by_meaning_what_it_may_read(either: Sidecar) -> None:
    found = ask(either, "POST", "/books/_search", READER, json=NEURAL)
    assert ids(found)[0] == "1"
    assert set(ids(found)) == set(BOOKS)


@pytest.mark.parametrize("target", ["/secrets/_search", "/books,secrets/_search"])
def test_search_by_meaning_of_a_forbidden_index_finds_nothing(
    library: SecuredNode, secured_sidecar: Sidecar, account_sidecar: Sidecar, target: str
) -> None:
    # Where the sidecar may not know the index, the query is the cluster's, which has no such clause.
    direct = library.request("POST", target, READER, json=NEURAL)
    assert told(ask(secured_sidecar, "POST", target, READER, json=NEURAL)) == told(direct)
    assert ask(account_sidecar, "POST", target, READER, json=NEURAL).status_code == 403


@pytest.mark.parametrize("target", ["/_search", "/*/_search"])
def test_search_by_meaning_of_all_indexes_finds_what_the_user_may_read(either: Sidecar, target: str) -> None:
    answer = ask(either, "POST", target, READER, json=NEURAL)
    assert answer.status_code in {400, 403} or {hit["_index"] for hit in answer.json()["hits"]["hits"]} == {"books"}


def test_those_whom_the_cluster_does_not_let_in_are_refused_before_anything_is_done_for_them(
    library: SecuredNode, either: Sidecar
) -> None:
    # Parameters that the sidecar would refuse, and a model that it would have to load, must not show.
    wrong = {"query": {"neural": {"body_vector": {"query_text": "wild west", "k": 1, "min_score": 0.5}}}}
    bulk = b'{"index":{"_index":"secrets"}}\n{"body":1}\n'
    for options in ({"json": NEURAL}, {"json": wrong}):
        refused = ask(either, "POST", "/secrets/_search", **options)
        assert (refused.status_code, refused.text) == (401, "Unauthorized")
    refused = ask(either, "POST", "/_bulk", data=bulk)
    assert (refused.status_code, refused.text) == (401, "Unauthorized")
    assert ask(either, "PUT", "/books-of-nobody", json=index_body()).status_code == 401


def test_those_who_may_not_search_find_nothing_by_meaning(
    library: SecuredNode, secured_sidecar: Sidecar, account_sidecar: Sidecar
) -> None:
    direct = library.request("POST", "/secrets/_search", NOBODY, json=NEURAL)
    assert told(ask(secured_sidecar, "POST", "/secrets/_search", NOBODY, json=NEURAL)) == told(direct)
    assert ask(account_sidecar, "POST", "/secrets/_search", NOBODY, json=NEURAL).status_code == 403


def test_what_one_user_may_know_of_an_index_is_not_told_to_another(
    library: SecuredNode, secured_sidecar: Sidecar
) -> None:
    for _ in range(2):
        assert ids(ask(secured_sidecar, "POST", "/books/_search", ADMIN, json=NEURAL))
        # Without the right to know what the index is, the query is the cluster's, which has no such clause.
        answer = ask(secured_sidecar, "POST", "/books/_search", SEARCHER, json=NEURAL)
        assert told(answer) == told(library.request("POST", "/books/_search", SEARCHER, json=NEURAL))
        assert "unknown query [neural]" in answer.text


def test_account_lets_those_search_by_meaning_who_may_search_and_nothing_else(
    account_sidecar: Sidecar, library: SecuredNode
) -> None:
    assert ids(ask(account_sidecar, "POST", "/books/_search", SEARCHER, json=NEURAL))[0] == "1"
    assert ask(account_sidecar, "POST", "/secrets/_search", SEARCHER, json=NEURAL).status_code == 403


def test_account_itself_reads_no_document(account_sidecar: Sidecar, library: SecuredNode) -> None:
    assert ask(account_sidecar, "POST", "/books/_search", SERVICE, json=NEURAL).status_code == 403


def test_documents_and_fields_that_a_user_may_not_see_are_not_found_by_meaning(either: Sidecar) -> None:
    found = ask(either, "POST", "/books/_search", FOREIGNER, json=NEURAL)
    assert sorted(ids(found)) == ["1", "3"]
    assert all("secret" not in hit["_source"] for hit in found.json()["hits"]["hits"])


def test_vectors_that_a_user_may_not_see_are_not_shown(
    library: SecuredNode, secured_sidecar: Sidecar, account_sidecar: Sidecar
) -> None:
    """The cluster lets such users search by a vector that they can't read; who can't know of it has no such field."""
    vector = library.request("GET", "/books/_doc/1", ADMIN).json()["_source"]["body_vector"]
    native = {"query": {"knn": {"body_vector": {"vector": vector, "k": 10}}}}
    direct = library.request("POST", "/books/_search", BLINDED, json=native)
    found = ask(account_sidecar, "POST", "/books/_search", BLINDED, json={"query": NEURAL["query"]})
    assert ids(found) == ids(direct)
    assert all("body_vector" not in hit["_source"] for hit in found.json()["hits"]["hits"])
    assert ask(secured_sidecar, "POST", "/books/_search", BLINDED, json=NEURAL).status_code == 400


def test_rights_that_are_taken_away_are_gone_at_once(library: SecuredNode, either: Sidecar) -> None:
    mapping = "/_plugins/_security/api/rolesmapping/reader"
    assert ids(ask(either, "POST", "/books/_search", READER, json=NEURAL))
    try:
        assert library.request("PUT", mapping, ADMIN, json={"users": []}).status_code == 200
        assert ask(either, "POST", "/books/_search", READER, json=NEURAL).status_code == 403
    finally:
        assert library.request("PUT", mapping, ADMIN, json={"users": [READER]}).status_code in {200, 201}


def test_writer_who_may_not_know_the_index_writes_documents_without_vectors(
    library: SecuredNode, secured_sidecar: Sidecar
) -> None:
    stored = _written(library, secured_sidecar, "by-writer")
    assert stored == {"body": "a new book"}


def test_writer_who_may_not_know_the_index_writes_vectors_by_the_account(
    library: SecuredNode, account_sidecar: Sidecar
) -> None:
    stored = _written(library, account_sidecar, "by-account")
    assert len(stored.pop("body_vector")) > 0
    assert stored == {"body": "a new book"}


def _written(library: SecuredNode, sidecar: Sidecar, number: str) -> dict[str, Any]:
    body = b'{"index":{"_index":"books","_id":"%b"}}\n{"body":"a new book"}\n' % number.encode()
    answer = ask(sidecar, "POST", "/_bulk", WRITER, data=body)
    assert answer.json()["errors"] is False, answer.text
    assert ask(sidecar, "GET", f"/books/_doc/{number}", WRITER).status_code == 403
    stored: dict[str, Any] = library.request("GET", f"/books/_doc/{number}", ADMIN).json()["_source"]
    assert library.request("DELETE", f"/books/_doc/{number}?refresh=true", ADMIN).status_code == 200
    return stored


def test_documents_of_a_user_who_is_let_in_now_have_vectors_at_once(
    library: SecuredNode, account_sidecar: Sidecar
) -> None:
    body = b'{"index":{"_index":"books","_id":"of-newcomer"}}\n{"body":"a new book"}\n'
    user = "/_plugins/_security/api/internalusers/newcomer"
    assert ask(account_sidecar, "POST", "/_bulk", "newcomer", data=body).status_code == 401
    rights = {"password": PASSWORD, "opendistro_security_roles": [WRITER]}
    try:
        assert library.request("PUT", user, ADMIN, json=rights).status_code == 201
        assert ask(account_sidecar, "POST", "/_bulk", "newcomer", data=body).json()["errors"] is False
        stored = library.request("GET", "/books/_doc/of-newcomer", ADMIN).json()["_source"]
        assert "body_vector" in stored
    finally:
        library.request("DELETE", user, ADMIN)
        library.request("DELETE", "/books/_doc/of-newcomer?refresh=true", ADMIN)


def test_writer_gets_the_clusters_refusal_for_each_item_of_a_forbidden_index(
    library: SecuredNode, either: Sidecar
) -> None:
    body = b'{"index":{"_index":"secrets","_id":"x"}}\n{"body":"no"}\n'
    direct = library.request("POST", "/_bulk", WRITER, data=body, headers={"Content-Type": "application/x-ndjson"})
    answer = ask(either, "POST", "/_bulk", WRITER, data=body)
    assert told(answer) == told(direct)
    assert answer.json()["items"][0]["index"]["status"] == 403


def test_no_password_is_logged(secured_sidecar: Sidecar, account_sidecar: Sidecar) -> None:
    for running in (secured_sidecar, account_sidecar):
        assert [line for line in running.log if PASSWORD in line or "Basic " in line] == []
    assert set(ROLES)
