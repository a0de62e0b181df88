"""Finding a Java. The Javas here are small programs that answer as real ones did."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.config import Settings
from sidecar.errors import EmbeddedNodeError
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import java
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.java import find_java

FULL = "java.base@25 jdk.incubator.vector@25 jdk.localedata@25"


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java; the folder is one that the node's user can enter."""
    monkeypatch.setattr(java, "SYSTEM_FOLDER", home / "jvm")
    monkeypatch.setenv("PATH", str(home / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("OPENSEARCH_JAVA_HOME", raising=False)
    return home


def make_java(folder: Path, release: str, modules: str = FULL) -> Path:
    """A Java home whose program answers with that release and those modules."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --list-modules ] && echo "{modules}" && exit\n'
        f"echo '    java.home = {folder}'\n"
        f"echo '    java.specification.version = {release}'\n"
        f"echo '    java.version = {release}.0.3'\n"
    )
    program.chmod(0o755)
    return folder


def found(settings: Settings) -> str:
    return find_java(settings, node_account(), download_folder=None).version


def test_no_java_names_every_place_and_both_ways_out(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(EmbeddedNodeError) as caught:
        find_java(load_settings(), node_account(), download_folder=bare / "java")
    for place in (
        "OPENSEARCH_JAVA_HOME (not set)",
        "JAVA_HOME (none)",
        "PATH (none)",
        "jvm (none)",
        "a download by cjdk (failed",
        "Install a full JDK 21 or later",
        "set OPENSEARCH_URL",
    ):
        assert place in caught.value.message


def test_old_and_trimmed_javas_are_passed_over_with_their_reason(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "old", "17")))
    make_java(bare / "jvm" / "trimmed", "25", "java.base@25")
    with pytest.raises(EmbeddedNodeError, match=r"is Java 17, and 21 or later.*without jdk\.incubator\.vector"):
        found(load_settings())
    make_java(bare / "jvm" / "good", "24")
    assert found(load_settings()) == "24.0.3"


def test_java_is_taken_from_the_first_place_that_has_one(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_java(bare / "jvm" / "system", "21")
    assert found(load_settings()) == "21.0.3"
    make_java(bare, "22")  # PATH is its bin folder
    assert found(load_settings()) == "22.0.3"
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "machine", "23")))
    assert found(load_settings()) == "23.0.3"
    assert found(load_settings(java_home=make_java(bare / "own", "24"))) == "24.0.3"


def test_named_java_is_never_replaced_by_another(bare: Path) -> None:
    make_java(bare / "jvm" / "good", "25")
    with pytest.raises(EmbeddedNodeError, match=r"^OPENSEARCH_JAVA_HOME: .* is Java 17"):
        found(load_settings(java_home=make_java(bare / "own", "17")))
    with pytest.raises(EmbeddedNodeError, match=r"^OPENSEARCH_JAVA_HOME: .* is not there"):
        found(load_settings(java_home=bare / "nowhere"))


def test_program_that_is_no_java_is_told_as_such(bare: Path) -> None:
    own = make_java(bare / "own", "25")
    (own / "bin" / "java").write_text("#!/bin/sh\necho 'java: no version set'\n")
    with pytest.raises(EmbeddedNodeError, match="does not answer as a Java does"):
        found(load_settings(java_home=own))
    (own / "bin" / "java").chmod(0o600)
    with pytest.raises(EmbeddedNodeError, match="can't be run by"):
        found(load_settings(java_home=own))
