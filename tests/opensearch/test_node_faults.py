"""What keeps the embedded node from starting, each told in one sentence that says what to do."""

from __future__ import annotations

import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from sidecar.errors import ConfigurationError, EmbeddedNodeError
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running
from sidecar.opensearch.node.disk import check_disk
from sidecar.opensearch.node.places import NodeFolder
from sidecar.opensearch.node.readiness import ended
from tests.fix_opensearch import node_settings

Usage = namedtuple("Usage", "total used free")
URL = "http://127.0.0.1:9299"


def test_start_names_the_port_and_its_setting_when_another_program_listens_there(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = node_settings(home).model_copy(update={"node_port": port})
        with pytest.raises(EmbeddedNodeError, match=rf"Port {port} .* is taken .*SIDECAR_NODE_PORT"):
            ensure_running(settings)


def test_start_tells_of_a_disk_above_the_watermark(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 * 10**9, 0, 5 * 10**9))
    with pytest.raises(EmbeddedNodeError, match=r"95\.0% full .*free 5\.0 GB, or set SIDECAR_NODE_DATA"):
        ensure_running(node_settings(home))


def test_disk_at_the_watermark_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1000, 0, 100))
    check_disk(tmp_path)


@pytest.mark.parametrize("version", ["2.19.0", "latest", "3.5"])
def test_start_refuses_a_version_it_can_not_run(home: Path, version: str) -> None:
    settings = node_settings(home).model_copy(update={"node_version": version})
    with pytest.raises(ConfigurationError, match=f"SIDECAR_NODE_VERSION is {version}"):
        ensure_running(settings)


def test_start_refuses_a_data_folder_of_something_else(home: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    tmp_path.chmod(0o500)
    settings = node_settings(home).model_copy(update={"node_data": tmp_path})
    with pytest.raises(EmbeddedNodeError, match=r"SIDECAR_NODE_DATA|may not write"):
        ensure_running(settings)
    assert [part.name for part in tmp_path.iterdir()] == ["photo.jpg"]


def test_start_refuses_java_options_that_can_not_be_taken_apart(home: Path) -> None:
    settings = node_settings(home).model_copy(update={"node_java_options": "-Da='b"})
    with pytest.raises(ConfigurationError, match=r"OPENSEARCH_JAVA_OPTS: a quote is not closed"):
        ensure_running(settings)


def test_start_names_the_home_folder_when_it_can_not_be_made(home: Path) -> None:
    (home / "file").write_bytes(b"")
    (home / "file").chmod(0o755)
    with pytest.raises(EmbeddedNodeError, match=r"file/home/.* can't be made .*SIDECAR_HOME"):
        ensure_running(node_settings(home / "file" / "home"))


# What OpenSearch 3.5.0 and Java 25 printed when these things were done to them.
LOCKED = "org.opensearch.bootstrap.StartupException: java.lang.IllegalStateException: failed to obtain node locks"
MEMORY = "# There is insufficient memory for the Java Runtime Environment to continue."
BOUND = "BindHttpException[Failed to bind to 127.0.0.1:9299]; nested: BindException[Address already in use];"
OTHER = "org.opensearch.bootstrap.StartupException: java.lang.IllegalArgumentException: unknown setting [a.b]"


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (LOCKED, r"data folder .*data is in use by another OpenSearch"),
        (MEMORY, r"not enough memory: set SIDECAR_NODE_HEAP lower"),
        (BOUND, r"Port 9299 of 127\.0\.0\.1 is taken"),
        (OTHER, r"unknown setting \[a\.b\]\. Its log: .*console\.log"),
        ("", r"it said nothing"),
    ],
)
def test_end_while_starting_is_told_by_its_cause(tmp_path: Path, printed: str, told: str) -> None:
    folder = NodeFolder(tmp_path, tmp_path / "data")
    folder.console.write_text(
        f"WARNING: Using incubator modules: jdk.incubator.vector\n{printed}\n\tat a.B.c(B.java:1)\n"
    )
    error = ended(folder, URL)
    assert isinstance(error, EmbeddedNodeError)
    with pytest.raises(EmbeddedNodeError, match=told):
        raise error


def test_node_settings_take_a_java_home_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert load_settings().machine_java_home == tmp_path
