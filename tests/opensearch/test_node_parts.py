"""The node's parts that need no running node: options, places, state, abandoned ephemeral nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ephemeral
from sidecar.opensearch.node.account import Account
from sidecar.opensearch.node.configuration import config_option, jvm_options
from sidecar.opensearch.node.places import ROOT_FOLDER, NodeFolder, places_of
from sidecar.opensearch.node.process import find_node, has_ended
from sidecar.opensearch.node.state import NodeState, User, read_state, write_state

NOBODY = Account("nobody", 65534, 65534)
OPTIONS = """\
# a comment
-Xss1m
8-10:-Xnine
11-:-Xnew
21:-Xonly

  17-24:-Xmiddle
"""


@pytest.mark.parametrize(
    ("release", "options"),
    [
        (9, ["-Xss1m", "-Xnine"]),
        (11, ["-Xss1m", "-Xnew"]),
        (21, ["-Xss1m", "-Xnew", "-Xonly", "-Xmiddle"]),
        (25, ["-Xss1m", "-Xnew"]),
    ],
)
def test_jvm_options_holds_those_of_the_release(release: int, options: list[str]) -> None:
    assert jvm_options(OPTIONS, release) == options


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 99))
def test_jvm_options_reads_a_range_as_including_both_ends(lowest: int, highest: int, release: int) -> None:
    assert jvm_options(f"{lowest}-{highest}:-X", release) == (["-X"] if lowest <= release <= highest else [])


def test_places_lie_under_the_home_folder_when_the_node_can_get_there(home: Path) -> None:
    for account in (None, NOBODY):
        assert places_of(load_settings(home=home), account).node.root == home / "node"


def test_places_of_closed_homes_lie_apart_from_each_other(home: Path) -> None:
    home.chmod(0o700)
    folders = {places_of(load_settings(home=home / name), NOBODY).node.root for name in ("a", "b")}
    assert len(folders) == 2
    assert {folder.parent for folder in folders} == {ROOT_FOLDER}
    assert places_of(load_settings(home=home), None).node.root == home / "node"


def test_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path, tmp_path / "data")
    state = NodeState(7, "http://127.0.0.1:9200", "3.5.0", "/data", by_hand=True, users=(User.this_process(),))
    write_state(folder, state)
    assert read_state(folder) == state


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"users": [{"pid": 1}]}', '{"users": [], "other": 1}', "7"])
def test_state_that_is_broken_reads_as_none(tmp_path: Path, text: str) -> None:
    folder = NodeFolder(tmp_path, tmp_path / "data")
    folder.state.write_text(text)
    assert read_state(folder) is None


def test_user_is_dead_when_its_number_belongs_to_a_later_process() -> None:
    here = User.this_process()
    assert here.is_alive()
    assert not User(here.pid, here.started - 3600, here.token).is_alive()


def test_node_is_found_by_its_command_line_when_the_number_is_wrong(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path, tmp_path / "data")
    assert find_node(folder, os.getpid()) is None
    with stand_in(folder) as process:
        found = find_node(folder, os.getpid())
        assert found is not None
        assert found.pid == process.pid
        process.kill()


def test_abandoned_ephemeral_node_is_stopped_and_removed_with_its_data(home: Path) -> None:
    places = places_of(load_settings(home=home), None)
    mine = ephemeral.make(places, User.this_process())
    gone = ephemeral.make(places, User.this_process())
    write_state(gone, NodeState(0, "", "", "", users=(User(os.getpid(), 0.0, "of a process long gone"),)))
    (gone.root / "data").mkdir()
    with stand_in(gone) as process:
        ephemeral.sweep(places)
    assert has_ended(process.pid)
    assert not gone.root.exists()
    assert mine.root.exists()


def stand_in(folder: NodeFolder) -> subprocess.Popen[bytes]:
    """A process that is known by its command line as the folder's node."""
    return subprocess.Popen([sys.executable, "-c", "input()", config_option(folder)], stdin=subprocess.PIPE)
