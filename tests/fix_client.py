"""The published Python client in its versions, each installed once into a Python of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.client.remote import RemoteClient, RemoteIndex, Worker
from tests.fix_server import Sidecar

VERSIONS = ("2.0.0", "2.1.0")
NEWEST = VERSIONS[-1]
_ROOT = Path(__file__).parent.parent
_FOLDER = _ROOT / ".cache" / "client"


def client_of(version: str) -> Path:
    """A Python with that version of the client, which needs an older pydantic than the sidecar; kept between runs."""
    package = f"marqo=={version}"
    folder = _FOLDER / f"{package}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
            subprocess.run(command, check=True)
            done.touch()
    return python


@pytest.fixture(scope="session")
def client_python() -> Path:
    """A Python with the newest client of this API generation."""
    return client_of(NEWEST)


@pytest.fixture(scope="session", params=VERSIONS)
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """Each version of the client in turn."""
    with Worker(client_of(request.param)) as running:
        yield running


@pytest.fixture(scope="session")
def newest_worker() -> Iterator[Worker]:
    """The newest client alone, for what the older one has not."""
    with Worker(client_of(NEWEST)) as running:
        yield running


@pytest.fixture
def mq(worker: Worker, sidecar: Sidecar) -> RemoteClient:
    """A client of the run's server."""
    return RemoteClient(worker, {"url": sidecar.url})


@pytest.fixture
def ix(mq: RemoteClient, index: str) -> RemoteIndex:
    """An empty index of the model random/small."""
    return mq.index(index)
