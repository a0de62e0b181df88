"""The Java of the embedded node, and the ports of a server."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sidecar.doctor import java as java_check
from sidecar.doctor import ports
from sidecar.doctor.finding import Finding, Level
from sidecar.opensearch.node import java
from tests.doctor.looking import NOBODY, about, levels, worst
from tests.fix_server import Sidecar
from tests.opensearch.test_node_java import make_java


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java; the folder is one that the node's user can enter."""
    monkeypatch.setattr(java, "SYSTEM_FOLDER", home / "jvm")
    monkeypatch.setenv("PATH", str(home / "bin"))
    for name in ("JAVA_HOME", "OPENSEARCH_JAVA_HOME", "OPENSEARCH_URL"):
        monkeypatch.delenv(name, raising=False)
    return home


def look(home: Path) -> Finding:
    return worst(java_check.check(about(home=home)))


def test_a_java_home_without_java_is_an_error(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(bare / "nowhere"))
    found = look(bare)
    assert found.level is Level.ERROR
    assert found.found == f"OPENSEARCH_JAVA_HOME: {bare}/nowhere/bin/java is not there."
    assert "Install a full JDK 21 or later" in (found.advice or "")


@pytest.mark.parametrize(
    ("release", "modules", "told"),
    [("17", "java.base@17", "is Java 17, and 21 or later"), ("25", "java.base@25", "is a trimmed runtime without")],
)
def test_a_java_that_is_old_or_trimmed_is_told(
    bare: Path, monkeypatch: pytest.MonkeyPatch, release: str, modules: str, told: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "jdk", release, modules)))
    found = look(bare)
    assert found.level is Level.WARNING
    assert told in found.found
    assert "The first start downloads one" in found.found


def test_no_java_names_what_was_looked_at_and_downloads_nothing(bare: Path) -> None:
    before = sorted(bare.rglob("*"))
    found = look(bare)
    assert found.level is Level.WARNING
    for place in ("OPENSEARCH_JAVA_HOME (not set)", "JAVA_HOME (none)", "PATH (none)", "jvm (none)"):
        assert place in found.found
    assert sorted(bare.rglob("*")) == before


def test_a_java_that_was_downloaded_before_is_found(bare: Path) -> None:
    make_java(bare / "java" / "v0" / "jdks" / "temurin-25", "25")
    assert look(bare).level is Level.OK


def test_no_java_is_needed_for_a_cluster_elsewhere(bare: Path) -> None:
    assert [each.found for each in java_check.check(about(opensearch_url=NOBODY))] == [
        "no Java is needed: OPENSEARCH_URL names a cluster"
    ]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_port_that_another_program_has_is_told_with_that_program(taken: int) -> None:
    findings = list(ports.check(about(port=taken, native_port=0, opensearch_url=NOBODY)))
    assert levels(findings) == [Level.ERROR, Level.OK]
    assert f"Port {taken} of 127.0.0.1 is taken by another program. It is process {os.getpid()}" in findings[0].found
    assert "SIDECAR_PORT" in (findings[0].advice or "")


def test_the_node_s_port_is_looked_at_where_it_would_be_started(taken: int, home: Path) -> None:
    found = worst(ports.check(about(port=0, native_port="", node_port=taken, home=home)))
    assert f"Port {taken}" in found.found
    assert "SIDECAR_NODE_PORT" in (found.advice or "")


def test_an_address_that_is_not_this_machine_s_is_told() -> None:
    found = worst(ports.check(about(host="203.0.113.1", opensearch_url=NOBODY)))
    assert "203.0.113.1 is not an address of this machine" in found.found


def test_a_sidecar_that_runs_is_no_stranger_on_its_port(sidecar: Sidecar) -> None:
    port = urlsplit(sidecar.url).port
    found = next(iter(ports.check(about(port=port, native_port="", opensearch_url=NOBODY))))
    assert found.level is Level.OK
    assert "a sidecar listens there" in found.found
