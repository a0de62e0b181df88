"""Clients of both kinds, and a filled index."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.client import AddOptions
from tests.client_library.driven import KINDS, Clients
from tests.fix_server import SMALL, Sidecar

TOPICS = ("account", "billing")
DOCUMENTS = [
    {"_id": f"d{number}", "title": f"Letter number {number}.", "topic": TOPICS[number % 2], "minutes": number}
    for number in range(30)
]


@pytest.fixture(params=KINDS)
def connect(request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Makes clients of each kind in turn: ``connect(url, **options)``."""
    clients = Clients(request.param)
    yield clients
    clients.close()


@pytest.fixture
def client(connect: Clients, sidecar: Sidecar) -> Any:
    """A client of the run's server."""
    return connect(sidecar.url)


@pytest.fixture(scope="module")
def letters(sidecar: Sidecar) -> Iterator[str]:
    """An index with the documents above, which tests do not change."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    clients = Clients("sync")
    index = clients(sidecar.url).index(name)
    index.create(SMALL)
    index.add(DOCUMENTS, AddOptions(tensor_fields=["title"], refresh=True))
    yield name
    index.drop()
    clients.close()
