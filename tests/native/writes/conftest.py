"""The two ports of a test: the node's own, and the sidecar's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sidecar.embedding.loader import Loader
from tests.fix_server import Sidecar
from tests.native.writes.written import MODEL, Expected, Port, expected_by


@pytest.fixture(scope="session")
def direct(node: str) -> Port:
    """The node itself."""
    return Port(node)


@pytest.fixture(scope="session")
def native(sidecar: Sidecar) -> Port:
    """The sidecar's native port."""
    return Port(sidecar.native_url)


@pytest.fixture(scope="session")
def expected(load_by_name: Callable[[str], Loader]) -> Expected:
    """The vectors of the small random model."""
    return expected_by(load_by_name(MODEL))
