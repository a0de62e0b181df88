"""What all routes share: unknown ones, methods, slashes, ids of requests, unforeseen errors."""

from __future__ import annotations

import io
import re

import pytest

from sidecar.logs import request_id
from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"


def test_unknown_route_is_404_with_a_detail(sidecar: Sidecar) -> None:
    for path in ("/nope", "/indexes/a/nope", "/indexes/a/documents/b/c"):
        answered = sidecar.get(path)
        assert (answered.status_code, answered.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/indexes/a"), ("PATCH", "/indexes/a"), ("OPTIONS", "/"), ("POST", "/"), ("GET", "/indexes/a/search")],
)
def test_wrong_method_is_405_with_a_detail(sidecar: Sidecar, method: str, path: str) -> None:
    answered = sidecar.request(method, path)
    assert (answered.status_code, answered.json()) == (405, {"detail": "Method Not Allowed"})


def test_head_is_405_even_where_get_is_served(sidecar: Sidecar) -> None:
    assert sidecar.request("HEAD", "/").status_code == 405
    assert sidecar.request("HEAD", "/nope").status_code == 404


def test_slash_at_the_end_redirects_with_the_method_and_the_query(sidecar: Sidecar) -> None:
    answered = sidecar.post("/indexes/caf%C3%A9/search/?&device=cpu", {}, allow_redirects=False)
    assert answered.status_code == 307
    assert answered.headers["Location"] == "/indexes/caf%C3%A9/search?&device=cpu"
    assert sidecar.get("/indexes/").status_code == 200
    assert sidecar.get("/nope/").status_code == 404


def test_query_may_have_thousands_of_letters(sidecar: Sidecar, index: str) -> None:
    # As the parameters of an array body, which hold JSON.
    path = f"/indexes/{index}/documents?non_tensor_fields="
    assert sidecar.post(path + "x" * 8000, [{"title": "A title."}]).status_code == 200
    assert sidecar.post(path + "x" * 9000, [{"title": "A title."}]).status_code == 414


def test_request_id_of_the_client_comes_back_and_is_logged(sidecar: Sidecar) -> None:
    answered = sidecar.get("/indexes", headers={"X-Request-Id": "my-id.1"})
    assert answered.headers["X-Request-Id"] == "my-id.1"
    line = sidecar.wait_for_log("request_id=my-id.1").string
    assert re.search(r"INFO .* answered request_id=my-id.1 method=GET path=/indexes status=200 ms=\d+(\.\d+)?$", line)


def test_request_id_is_made_when_there_is_none_or_an_unfit_one(sidecar: Sidecar) -> None:
    for headers in ({}, {"X-Request-Id": "a b"}, {"X-Request-Id": "x" * 129}):
        assert re.fullmatch("[0-9a-f]{32}", sidecar.get("/", headers=headers).headers["X-Request-Id"])


def test_id_is_forgotten_when_the_request_is_answered(make_client: MakeClient) -> None:
    make_client(opensearch_url=NOBODY).get("/")
    assert request_id.get() == ""


def test_log_has_neither_documents_nor_the_query_string(sidecar: Sidecar, index: str) -> None:
    path = f"/indexes/{index}/documents?non_tensor_fields=x&model_auth=%22hidden-word%22"
    sidecar.post(path, [{"title": "hidden-word"}], headers={"X-Request-Id": "quiet"})
    sidecar.wait_for_log("request_id=quiet")
    assert not [line for line in sidecar.log if "hidden-word" in line]


def test_unforeseen_error_is_ours_and_logged_once(
    make_client: MakeClient, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(opensearch_url=NOBODY)

    def fail() -> None:
        raise ZeroDivisionError("inner words")

    monkeypatch.setitem(client.application.view_functions, "operations.greet", fail)
    answered = client.get("/", headers={"X-Request-Id": "odd-one"})
    assert answered.status_code == 500
    assert (answered.json["code"], answered.json["type"]) == ("internal", "internal")
    assert "odd-one" in answered.json["message"]
    assert "inner words" not in answered.text
    assert logged.getvalue().count("ZeroDivisionError: inner words") == 1
    assert "ERROR sidecar.api.errors an error that nobody foresaw request_id=odd-one" in logged.getvalue()


def test_cluster_away_is_told_in_the_contracts_words(make_client: MakeClient) -> None:
    client = make_client(opensearch_url=NOBODY)
    for method, path, body in (
        ("POST", "/indexes/a/search", {"q": "x"}),
        ("GET", "/indexes", None),
        ("POST", "/indexes/a", {}),
        ("POST", "/indexes/a/documents", {"documents": [{"a": "b"}], "tensorFields": []}),
    ):
        answered = client.open(path, method=method, json=body)
        assert answered.status_code == 500, path
        assert answered.json["code"] == "backend_communication_error"
        assert answered.json["type"] == "internal"
