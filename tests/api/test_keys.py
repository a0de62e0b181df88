"""API keys, where the operator has set any."""

from __future__ import annotations

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
