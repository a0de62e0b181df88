"""What is built from this tree: wheel and source distribution are whole, and the wheel works where it is installed."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest
import requests

import sidecar

ROOT = Path(__file__).parent.parent
DIST_INFO = f"vector_sidecar-{sidecar.__version__}.dist-info"
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "setup.py", "mappings", "sidecar")
LISTENING = re.compile(r"listening at (http://\S+)")


def build(source: Path, kind: str, target: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` of the tree, as any PEP 517 front end does; returns the file."""
    target.mkdir(exist_ok=True)
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(target)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def source(folder: Path) -> Path:
    """A copy of the tree, as a clone has it, so that the build leaves nothing here."""
    copy = folder / "clone"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, folder: Path) -> Path:
    return build(source, "wheel", folder / "wheel")


@pytest.fixture(scope="module")
def sdist(source: Path, folder: Path) -> Path:
    return build(source, "sdist", folder / "sdist")


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return email.message_from_bytes(contents(wheel)[f"{DIST_INFO}/METADATA"])


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package_files(root: Path) -> dict[str, bytes]:
    """Every file of the package, by its path from the root; those behind links included."""
    found: dict[str, bytes] = {}
    for place, folders, names in os.walk(root / "sidecar", followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = Path(place, name)
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found


def test_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path, source: Path) -> None:
    packed = {name: data for name, data in contents(wheel).items() if not name.startswith(DIST_INFO)}
    assert packed == package_files(source)


@pytest.mark.parametrize(
    "name",
    [
        "sidecar/mappings/index.json",
        "sidecar/mappings/embedded_field.json",
        "sidecar/mappings/metrics_index.json",
        "sidecar/mappings/dashboards/sidecar.ndjson",
        "sidecar/embedding/models.csv",
        "sidecar/embedding/weights_packages.csv",
        f"{DIST_INFO}/licenses/LICENSE",
    ],
)
def test_wheel_holds_data_file(wheel: Path, name: str) -> None:
    assert contents(wheel)[name].strip()


def test_wheel_has_the_command(wheel: Path) -> None:
    assert b"[console_scripts]\nsidecar = sidecar.cli:main" in contents(wheel)[f"{DIST_INFO}/entry_points.txt"]


def test_metadata_says_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "vector-sidecar"
    assert metadata["Version"] == sidecar.__version__
    assert "Apache-2.0" in {metadata["License"], metadata["License-Expression"]}
    assert metadata["Requires-Python"] == ">=3.10"
    assert str(metadata.get_payload()).startswith("# vector-sidecar")


def test_sdist_holds_files_and_no_links(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert [member.name for member in members if not (member.isfile() or member.isdir())] == []
    assert any(member.name.endswith("/sidecar/mappings/index.json") for member in members)


def test_wheel_from_the_sdist_is_the_same(sdist: Path, wheel: Path, folder: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    assert contents(build(unpacked, "wheel", folder / "wheel-from-sdist")) == contents(wheel)


@pytest.fixture(scope="module")
def installed(wheel: Path, folder: Path) -> Path:
    """The ``bin`` folder of a new environment with the wheel installed; dependencies are those of this environment."""
    environment = folder / "environment"
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv-uv" / "bin")
    python = environment / "bin" / "python"
    if uv is not None:
        _run(uv, "venv", "--quiet", "--offline", "--python", sys.executable, environment)
        _run(uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    else:
        _run(sys.executable, "-m", "venv", environment)
        _run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    # Only adds the folder to the path: this tree's own editable installation is not taken over.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python.parent


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def elsewhere(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a program in a folder that has nothing of this tree, with no settings but those given."""

    def start(*command: str | Path, **settings: str) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SIDECAR_", "OPENSEARCH_", "PYTHON"))}
        output = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, env=kept | settings, stdout=output, stderr=output, text=True)

    return start


def test_installed_package_is_the_wheels(installed: Path, elsewhere: Callable[..., subprocess.Popen[str]]) -> None:
    code = "import sidecar; print(sidecar.__file__)"
    output, _ = elsewhere(installed / "python", "-c", code).communicate(timeout=60)
    assert Path(output.strip()).is_relative_to(installed.parent)


def test_installed_command_tells_its_version(installed: Path, elsewhere: Callable[..., subprocess.Popen[str]]) -> None:
    output, _ = elsewhere(installed / "sidecar", "--version").communicate(timeout=60)
    assert output == f"sidecar, version {sidecar.__version__}\n"


def test_installed_server_makes_an_index_and_searches_it(
    installed: Path, elsewhere: Callable[..., subprocess.Popen[str]], node: str, index_name: str
) -> None:
    server = elsewhere(installed / "sidecar", "serve", "--port", "0", "--native-port", "0", OPENSEARCH_URL=node)
    try:
        assert server.stderr is not None
        found = next((match for line in server.stderr if (match := LISTENING.search(line))), None)
        assert found, server.wait(timeout=60)
        index = f"{found[1]}/indexes/{index_name}"
        settings = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
        assert requests.post(index, json=settings, timeout=60).status_code == 200
        documents = {"documents": [{"_id": "a", "title": "A title"}], "tensorFields": ["title"]}
        assert not requests.post(f"{index}/documents?refresh=true", json=documents, timeout=60).json()["errors"]
        hits = requests.post(f"{index}/search", json={"q": "A title"}, timeout=60).json()["hits"]
        assert [hit["_id"] for hit in hits] == ["a"]
    finally:
        server.terminate()
        server.communicate(timeout=60)
