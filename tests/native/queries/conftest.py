"""Indexes that queries by meaning find something in, made once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.fix_server import Sidecar
from tests.native.queries.corpus import Corpus, corpus

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def filled(node: str) -> Iterator[Corpus]:
    """Indexes in the run's node."""
    with corpus(node, f"test-{uuid.uuid4().hex[:12]}") as made:
        yield made


@pytest.fixture
def ask(sidecar: Sidecar) -> Ask:
    """A request to the native face: path, body, and options of the requests library."""
    return _asking(sidecar.native_url)


@pytest.fixture
def ask_node(node: str) -> Ask:
    """The same request to the cluster itself."""
    return _asking(node)


def _asking(url: str) -> Ask:
    def ask(path: str, body: Any = None, *, method: str = "POST", **options: Any) -> requests.Response:
        if isinstance(body, (bytes, str)):
            options.setdefault("headers", {"content-type": "application/json"})
            options["data"] = body
        elif body is not None:
            options["json"] = body
        return requests.request(method, url + path, timeout=30, **options)

    return ask
