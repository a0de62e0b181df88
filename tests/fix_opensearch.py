"""One embedded OpenSearch for the whole run, and a fresh index name for each test."""

from __future__ import annotations

import http.client
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sidecar.config import Settings
from sidecar.errors import EmbeddedNodeError
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.distribution import install, knn_version
from sidecar.opensearch.node.java import find_java
from sidecar.opensearch.node.places import places_of
from sidecar.opensearch.node.progress import silent

# Half the start time, and less work for two cores; only long runs would gain from the optimising compiler.
TEST_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"


def node_settings(home: Path | None = None) -> Settings:
    """Settings of a node for tests: small, quick to start, on any free port."""
    return load_settings(home=home, node_port=0, node_heap="512m", node_java_options=TEST_JAVA_OPTIONS)


def pytest_report_header() -> str:
    settings = load_settings()
    try:
        java = find_java(settings, node_account(), download_folder=None)
        told = f"Java {java.version} ({java.program})"
    except EmbeddedNodeError:
        told = "Java to be downloaded"
    return f"OpenSearch {settings.node_version}, k-NN {knn_version(settings.node_version)}, {told}"


@pytest.fixture(scope="session")
def node() -> Iterator[str]:
    """The URL of the run's own OpenSearch node, whose data go with it."""
    with ensure_running(node_settings(), ephemeral=True) as running:
        yield running.url


@pytest.fixture
def index_name(node: str) -> Iterator[str]:
    """A name that no index has; an index of that name is deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    request(node, "DELETE", f"/{name}?ignore_unavailable=true")


@pytest.fixture
def template(node: str, index_name: str) -> Iterator[str]:
    """A name that no template has, that of ``index_name``; templates of that name are deleted afterwards."""
    yield index_name
    for kind in ("_index_template", "_component_template", "_template"):
        request(node, "DELETE", f"/{kind}/{index_name}")


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home folder that the node's user can enter; the downloads are the default home's."""
    settings = load_settings()
    distribution = places_of(settings, node_account()).distribution(settings.node_version)
    install(distribution, settings.node_version, silent)
    with tempfile.TemporaryDirectory(prefix="sidecar-home-") as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        (path / "opensearch").symlink_to(distribution.parent)
        yield path


def request(url: str, method: str, path: str, body: str | bytes | None = None) -> tuple[int, str]:
    """Status and text of one plain HTTP exchange with the node."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
