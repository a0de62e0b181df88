"""API keys, where the operator has set any."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from tests.fix_server import MakeClient

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY, api_keys=["first", "sécond"])


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "firs"}, {"Authorization": "Bearer first"}])
def test_request_without_a_valid_key_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    answered = client.get("/models", headers=headers)
    assert answered.status_code == 401
    assert answered.json["code"] == "unauthorized"
    assert "x-api-key" in answered.json["message"]


def test_request_with_any_of_the_keys_is_served(client: FlaskClient) -> None:
    for key in ("first", "sécond".encode().decode("latin-1")):
        assert client.get("/models", headers={"X-API-Key": key}).status_code == 200


def test_greeting_and_health_checks_need_no_key(client: FlaskClient) -> None:
    assert [client.get(path).status_code for path in ("/", "/health", "/ready", "/metrics")] == [200, 500, 503, 200]


def test_keys_are_ignored_where_none_is_set(make_client: MakeClient) -> None:
    assert make_client(opensearch_url=NOBODY).get("/models", headers={"x-api-key": "any"}).status_code == 200


def test_every_key_is_compared_whatever_the_first_ones_say(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("sidecar.api.keys.hmac.compare_digest", compare)
    client = make_client(opensearch_url=NOBODY, api_keys=["first", "second-and-longer", "third"])
    for key, status in (("first", 200), ("third", 200), ("x" * 1000, 401), ("", 401)):
        compared.clear()
        assert client.get("/models", headers={"x-api-key": key}).status_code == status
        assert compared == [(32, 32)] * 3, "digests tell no length"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/models?x-api-key=first", {}),
        ("/models?api_key=first", {}),
        ("/models", {"Cookie": "x-api-key=first"}),
        ("/models", {"Authorization": "Basic Zmlyc3Q6Zmlyc3Q="}),
        ("/models", {"x-api-key": "first, first"}),
        ("/models", {"x-api-key": "FIRST"}),
        ("/models", {"x-api-key": "first\u00a0"}),
        ("/v1/models", {"Authorization": "Basic first"}),
        ("/v1/models", {"Authorization": "first"}),
        ("/v1/models", {"x-api-key": "wrong", "Authorization": "Bearer first"}),
        ("/ui/../models", {}),
        ("/ui/%2e%2e/models", {}),
        ("/docs/..%2f..%2fmodels", {}),
        ("/metrics/", {}),
        ("/METRICS", {}),
        ("/health/../models", {}),
        ("/models;/ui/", {}),
        ("/indexes/x/documents/..%2fui", {}),
    ],
)
def test_key_in_another_place_and_path_in_another_spelling_are_refused(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answered = client.get(path, headers=headers)
    assert answered.status_code in (401, 404)
    assert b"models" not in answered.data


def test_key_is_told_nowhere(make_client: MakeClient, logged: io.StringIO) -> None:
    client = make_client(opensearch_url=NOBODY, api_keys=["hunter2-and-more"])
    for given in ("hunter2-and-more", "hunter2-wrong"):
        for path in ("/models", "/indexes/x/stats", "/v1/models", "/nowhere", "/metrics", "/openapi.json", "/ready"):
            answered = client.get(path, headers={"x-api-key": given, "Authorization": f"Bearer {given}"})
            assert b"hunter2" not in answered.data
            assert "hunter2" not in str(answered.headers)
    assert "answered" in logged.getvalue()
    assert "hunter2" not in logged.getvalue()
