"""The API's own description: its OpenAPI document, and the page that shows it."""

from __future__ import annotations

import inspect
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from sidecar.api.documentation import EXTENSION
from sidecar.api.openapi.operations import OPERATIONS
from sidecar.api.schemas.search import SearchBody
from sidecar.errors import IndexNotFound
from tests.fix_server import MakeClient

NOBODY = "http://127.0.0.1:9"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def routes(app: Flask) -> dict[tuple[str, str], str]:
    """Path and method, as OpenAPI writes them, of all routes, and their views."""
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower()): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
    }


def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_the_document_and_nothing_else(client: FlaskClient, document: dict[str, Any]) -> None:
    told = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert told == routes(client.application).keys()


def test_every_operation_is_that_of_a_view(client: FlaskClient) -> None:
    assert OPERATIONS.keys() == client.application.view_functions.keys()


def test_operation_is_summed_up_by_its_views_docstring(client: FlaskClient, document: dict[str, Any]) -> None:
    for (path, method), view in routes(client.application).items():
        told = inspect.getdoc(client.application.view_functions[view])
        assert document["paths"][path][method]["summary"] == told


def test_body_is_the_model_that_parses_it(document: dict[str, Any]) -> None:
    content = document["paths"]["/indexes/{index}/search"]["post"]["requestBody"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/SearchBody"}
    told = document["components"]["schemas"]["SearchBody"]
    assert told["properties"].keys() == {field.alias or name for name, field in SearchBody.model_fields.items()}
    assert told["additionalProperties"] is False


def test_failures_are_those_of_the_errors(document: dict[str, Any]) -> None:
    responses = document["paths"]["/indexes/{index}/stats"]["get"]["responses"]
    assert sorted(responses) == ["200", "400", "404", "429", "500"]
    own, no_route = responses["404"]["content"]["application/json"]["schema"]["anyOf"]
    assert own["allOf"][1] == {"properties": {"code": {"enum": [IndexNotFound.code]}}}
    assert no_route == {"$ref": "#/components/schemas/NoSuchRoute"}
    assert "Retry-After" in responses["429"]["headers"]


def test_key_is_asked_for_where_one_is_needed(make_client: MakeClient) -> None:
    client = make_client(opensearch_url=NOBODY, api_keys=["first"])
    document = client.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["key"] == {"type": "apiKey", "in": "header", "name": "x-api-key"}
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            answered = client.open(path.replace("{", "").replace("}", ""), method=method)
            assert ("security" in told) == ("401" in told["responses"]) == (answered.status_code == 401), path


def test_no_key_is_asked_for_where_none_is_set(document: dict[str, Any]) -> None:
    assert "securitySchemes" not in document["components"]
    told = [operation for operations in document["paths"].values() for operation in operations.values()]
    assert not [operation for operation in told if "security" in operation or "401" in operation["responses"]]


def test_document_is_made_once_and_only_when_it_is_asked_for(client: FlaskClient) -> None:
    made = client.application.extensions[EXTENSION]
    client.get("/")
    assert "text" not in vars(made)
    client.get("/openapi.json")
    first = vars(made)["text"]
    client.get("/openapi.json")
    assert vars(made)["text"] is first


class Links(HTMLParser):
    """Collects what a page lets the browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_page_has_all_that_it_needs_from_this_server(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    links = Links()
    links.feed(page.text)
    assert len(links.found) == 4
    for link in links.found:
        # Beside the page, whatever a proxy puts before its path.
        assert re.match(r"docs/[\w.-]+$", link)
        answered = client.get(f"/{link}")
        assert answered.status_code == 200
        assert answered.data
    start = client.get("/docs/start.js").text
    assert 'url: "openapi.json"' in start
    assert "validatorUrl: null" in start


def test_page_may_ask_no_other_host(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]
    allowed = {word for rule in policy.split(";") for word in rule.split()[1:]}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("name", ["nope.js", "__init__.py", "..%2F__init__.py", "docs.html", "swagger-ui.js"])
def test_other_files_of_its_package_are_not_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_deletion_of_an_index_by_an_alias_is_a_refusal_that_is_told_of(document: dict[str, Any]) -> None:
    refusal = document["paths"]["/indexes/{index}"]["delete"]["responses"]["400"]
    assert "invalid_argument" in str(refusal)
