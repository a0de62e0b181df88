"""Published Python clients, each installed once into a Python of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
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
    """A Python with that version of the client, which needs an older pydantic than the sidecar."""
    return python_with([f"marqo=={version}"])


def python_with(packages: Sequence[str]) -> Path:
    """A Python of its own with these packages, kept between runs."""
    number = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    name = f"{packages[0].partition('=')[0].partition('[')[0]}-{number}"
    folder = _FOLDER / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    done = folder / "installed"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(_FOLDER / f"{folder.name}.lock"):
        if not done.exists():
            _install(folder, packages)
            done.touch()
    return folder / "bin" / "python"


def _install(folder: Path, packages: Sequence[str]) -> None:
    """With uv where it is, as `tools/install.sh`: it takes seconds in place of half a minute."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(_ROOT / ".venv-uv" / "bin"))
    python = str(folder / "bin" / "python")
    if uv is not None:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(command, check=True)


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
