"""The playground's files as they are served."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from flask.testing import FlaskClient

from tests.fix_server import MakeClient

NOBODY = "http://127.0.0.1:9"
NAMES = sorted(entry.name for entry in files("sidecar.playground").iterdir() if not entry.name.startswith("__"))
TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "html": "text/html"}
# What is loaded by a page or a style, or imported by a script.
ADDRESS = re.compile(r'(?:(?:src|href)="(?!#)|"(?=\./))([\w./-]+)"')


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY, api_keys=["a-key"])


def test_page_is_served_without_a_key_and_may_ask_only_its_own_host(client: FlaskClient) -> None:
    page = client.get("/ui")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[part] for part in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_files_are_served_as_what_they_are(client: FlaskClient) -> None:
    for name in NAMES:
        answered = client.get(f"/ui/{name}")
        assert (answered.status_code, answered.mimetype) == (200, TYPES[name.rpartition(".")[2]]), name
        assert answered.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", NAMES)
def test_file_names_no_other_host_and_only_files_that_are_there(name: str) -> None:
    text = (files("sidecar.playground") / name).read_text("utf-8")
    hosts = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}
    assert hosts == set()
    addresses = {address.removeprefix("./").removeprefix("ui/") for address in ADDRESS.findall(text)} - {"docs"}
    assert addresses <= set(NAMES)


def test_file_that_has_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/ui/main.js")
    again = client.get("/ui/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


def test_nothing_else_is_served(client: FlaskClient) -> None:
    for name in ("__init__.py", "nothing.js", "..%2Fapp.py", ".js"):
        assert client.get(f"/ui/{name}").status_code == 404, name
