"""A client of the run's node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport


@pytest.fixture(scope="session")
def transport(node: str) -> Iterator[Transport]:
    transport = Transport(ClusterAddress(node), TransportOptions())
    yield transport
    transport.close()


@pytest.fixture
def cluster(transport: Transport) -> Cluster:
    return Cluster(transport)
