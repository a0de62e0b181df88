"""The folders of ephemeral nodes: each is one process's, and goes with it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

from sidecar.opensearch.node.account import FOLDER_MODE, make_shared_folder
from sidecar.opensearch.node.places import NodeFolder, Places
from sidecar.opensearch.node.process import find_node, stop_process
from sidecar.opensearch.node.state import NodeState, User, read_state, write_state


def make(places: Places, user: User) -> NodeFolder:
    """A new folder, known as the user's from the moment others can see it."""
    make_shared_folder(places.ephemeral)
    sweep(places)
    with FileLock(places.ephemeral / "lock"):
        root = Path(tempfile.mkdtemp(prefix="node-", dir=places.ephemeral))
        root.chmod(FOLDER_MODE)
        folder = _folder(root)
        write_state(folder, NodeState(0, "", "", str(folder.data), users=(user,)))
    return folder


def sweep(places: Places) -> None:
    """Stop and remove the ephemeral nodes whose user was killed before it could."""
    if not places.ephemeral.exists():
        return
    with FileLock(places.ephemeral / "lock"):
        for root in places.ephemeral.glob("node-*"):
            state = read_state(_folder(root))
            if state is None or not state.with_living_users().users:
                remove(_folder(root))


def remove(folder: NodeFolder) -> None:
    """Stop the folder's node if it runs, and remove the folder with its data."""
    state = read_state(folder)
    process = find_node(folder, state.pid if state else 0)
    if process is not None:
        stop_process(process)
    shutil.rmtree(folder.root)


def _folder(root: Path) -> NodeFolder:
    return NodeFolder(root, root / "data")
