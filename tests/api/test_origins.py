"""What a web page of another origin can have its reader's browser do."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.fix_server import MakeClient

NOBODY = "http://127.0.0.1:9"
OWN = {"Host": "sidecar.example:8882", "Origin": "http://sidecar.example:8882"}
CHANGES = [
    ("POST", "/indexes/an-index"),
    ("POST", "/indexes/an-index/documents"),
    ("POST", "/indexes/an-index/documents/delete-batch"),
    ("PATCH", "/indexes/an-index/documents"),
    ("PUT", "/indexes/an-index/aliases/a"),
    ("DELETE", "/indexes/an-index"),
    ("DELETE", "/models"),
    ("POST", "/v1/embeddings"),
]


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_page_of_another_origin_changes_nothing(client: FlaskClient, method: str, path: str) -> None:
    # As `fetch` with mode "no-cors" sends it: no type, so that no permission is asked for.
    answered = client.open(path, method=method, data=b"{}", headers=OWN | {"Origin": "http://other.example"})
    assert answered.status_code == 403
    told = answered.json["error" if path.startswith("/v1/") else "message"]
    assert "another origin" in str(told)
    assert not [name for name, _ in answered.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://other.example"},
        {"Origin": "http://sidecar.example"},
        {"Origin": "http://sidecar.example:8883"},
        {"Origin": "http://sidecar.example:8882.other.example"},
        {"Origin": "http://sidecar.example:8882@other.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://sidecar.example:8882", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
    ],
)
def test_origin_is_another_unless_it_is_known_to_be_the_same(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/indexes/an-index", headers={"Host": OWN["Host"]} | headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://sidecar.example:8882"},
        {"Origin": "HTTP://Sidecar.Example:8882"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        # Behind a proxy that changes the host.
        {"Origin": "https://search.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_programs_and_the_playground_are_served(client: FlaskClient, headers: dict[str, str]) -> None:
    answered = client.post("/indexes/.kibana", headers={"Host": OWN["Host"]} | headers)
    assert answered.json["code"] == "invalid_index_name"


def test_reading_is_the_browsers_to_refuse(client: FlaskClient) -> None:
    answered = client.get("/models", headers=OWN | {"Origin": "http://other.example"})
    assert answered.status_code == 200
    assert not [name for name, _ in answered.headers if name.startswith("Access-Control-")]


def test_page_with_a_key_is_served_where_there_are_keys(make_client: MakeClient) -> None:
    # To send the key it had to ask, which the sidecar never grants: somebody else did.
    client = make_client(opensearch_url=NOBODY, api_keys=["right"])
    headers = {"Origin": "http://other.example"}
    assert client.post("/indexes/.kibana", headers=headers).status_code == 401
    assert client.post("/indexes/.kibana", headers=headers | {"x-api-key": "right"}).status_code == 400


def test_browser_that_asks_whether_it_may_is_not_told_so(client: FlaskClient) -> None:
    asked = {"Origin": "http://other.example", "Access-Control-Request-Method": "DELETE"}
    answered = client.options("/indexes/an-index", headers=asked)
    assert answered.status_code == 405
    assert not [name for name, _ in answered.headers if name.startswith("Access-Control-")]
