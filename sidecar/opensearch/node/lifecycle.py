"""Starting, sharing and stopping the embedded node.

Whoever starts or stops it holds the folder's lock meanwhile: a second sidecar waits, and finds it done.
Each sidecar that uses the node stands in its state; the last to go stops it, unless it was started by hand.
A node whose starter was killed keeps running, and the next sidecar takes it over.
"""

from __future__ import annotations

import logging
import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from sidecar.config import Settings
from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node import ephemeral as ephemeral_nodes
from sidecar.opensearch.node.account import make_shared_folder, node_account
from sidecar.opensearch.node.configuration import java_command, write_configuration
from sidecar.opensearch.node.disk import check_disk
from sidecar.opensearch.node.distribution import install
from sidecar.opensearch.node.java import find_java
from sidecar.opensearch.node.places import NodeFolder, Places, places_of
from sidecar.opensearch.node.process import LOOPBACK, choose_port, find_node, has_ended, launch, stop_process
from sidecar.opensearch.node.progress import Report, silent
from sidecar.opensearch.node.readiness import wait_ready
from sidecar.opensearch.node.state import (
    NodeState,
    User,
    clear_state,
    locked,
    read_state,
    write_state,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunningNode:
    """One use of a running node; release it when done, or use it as a context manager."""

    url: str
    version: str
    pid: int
    data: Path
    started_by_us: bool
    _folder: NodeFolder = field(repr=False)
    _user: User | None = field(repr=False)
    # Kept so that the ended node is waited for by the process that started it.
    _process: subprocess.Popen[bytes] | None = field(repr=False, compare=False)
    _ephemeral: bool = field(default=False, repr=False)

    def release(self) -> None:
        """End this use; the last one to end stops the node, unless it was started by hand."""
        if self._user is None or self._user.pid != os.getpid() or not self._folder.root.exists():
            return  # by hand; or a fork of the process whose use it is
        with locked(self._folder, silent):
            state = read_state(self._folder)
            if state is None or self._user not in state.users:
                return
            state = state.without_user(self._user).with_living_users()
            if state.users or state.by_hand:
                write_state(self._folder, state)
                return
            _stop_locked(self._folder, state)
            if self._process is not None:
                self._process.poll()
        if self._ephemeral:
            ephemeral_nodes.remove(self._folder)

    def has_ended(self) -> bool:
        """True where the node's process is gone, whatever ended it."""
        return has_ended(self.pid)

    def is_wanted(self) -> bool:
        """False where the node was stopped by hand, and not started again since."""
        return read_state(self._folder) is not None

    def __enter__(self) -> RunningNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True)
class NodeStatus:
    """The lasting node of a home, as it is now. ``users``: process ids of the sidecars that use it."""

    url: str
    version: str
    pid: int
    data: Path
    log: Path
    ready: bool
    by_hand: bool
    users: tuple[int, ...]


def ensure_running(settings: Settings, *, ephemeral: bool = False, on_progress: Report = silent) -> RunningNode:
    """A node to use: the one of this home, started where it does not run, or a new ephemeral one.

    An ephemeral node has any free port; it goes, and its data with it, when this process releases it.
    Raises: EmbeddedNodeError; no node was started, or it has been stopped again.
    """
    user = User.this_process()
    if not ephemeral:
        return _obtain(settings, user, on_progress)
    places = places_of(settings, node_account())
    folder = ephemeral_nodes.make(places, user)
    try:
        with locked(folder, on_progress):
            own = settings.model_copy(update={"node_port": 0})
            process, state = _launch_locked(own, places, folder, users=(user,), report=on_progress)
            state = _ready_locked(folder, state, on_progress)
    except EmbeddedNodeError:
        _stop_locked(folder, read_state(folder))  # its folder, with the log, stays until the next start
        raise
    except BaseException:
        ephemeral_nodes.remove(folder)
        raise
    return _running(folder, state, user, process, ephemeral=True)


def start_by_hand(settings: Settings, *, on_progress: Report = silent) -> RunningNode:
    """Start the node of this home, or keep the running one: it stays until it is stopped by hand."""
    return _obtain(settings, None, on_progress)


def stop(settings: Settings) -> int | None:
    """Stop the node of this home, whoever uses it, and ephemeral ones whose user is gone.

    Returns: the process that was stopped, or None where no node ran.
    """
    places = places_of(settings, node_account())
    ephemeral_nodes.sweep(places)
    if not places.node.root.exists():
        return None
    with locked(places.node, silent):
        return _stop_locked(places.node, read_state(places.node))


def status(settings: Settings) -> NodeStatus | None:
    """How the node of this home is, without waiting for one that is being started; None where none runs."""
    folder = places_of(settings, node_account()).node
    state = read_state(folder)
    if state is None or find_node(folder, state.pid) is None:
        return None
    users = tuple(user.pid for user in state.with_living_users().users)
    return NodeStatus(
        state.url, state.version, state.pid, Path(state.data), folder.log, state.ready, state.by_hand, users
    )


def _obtain(settings: Settings, user: User | None, report: Report) -> RunningNode:
    """The node of this home with this user in its state; without one it is by hand."""
    places = places_of(settings, node_account())
    folder = places.node
    make_shared_folder(folder.root)
    newcomers = (user,) if user else ()
    with locked(folder, report):
        old = read_state(folder)
        # Those who used a node that has died go on with the new one.
        users = (*old.with_living_users().users, *newcomers) if old else newcomers
        running = find_node(folder, old.pid if old else 0)
        if running is not None and (old is None or old.pid != running.pid):
            stop_process(running)  # its starter was killed before it could say where it listens
            running = None
        process = None
        if old is not None and running is not None:
            _check_same(old, settings, folder)
            state = replace(old, users=users)
        else:
            process, state = _launch_locked(settings, places, folder, users=users, report=report)
        state = replace(state, by_hand=state.by_hand or user is None)
        try:
            state = _ready_locked(folder, state, report)
        except BaseException:
            if process is not None:
                _stop_locked(folder, state)
            raise
    return _running(folder, state, user, process)


def _launch_locked(
    settings: Settings, places: Places, folder: NodeFolder, *, users: tuple[User, ...], report: Report
) -> tuple[subprocess.Popen[bytes], NodeState]:
    """Launch the node, and say so in its state before it is ready: a kill -9 from here on loses nothing."""
    account = node_account()
    version = settings.node_version
    port = choose_port(settings.node_port)
    java = find_java(settings, account, download_folder=places.java, report=report)
    distribution = places.distribution(version)
    install(distribution, version, report)
    write_configuration(folder, port=port, account=account)
    check_disk(folder.data)
    command = java_command(java, distribution, folder, settings)
    process = launch(command, folder=folder, working_folder=distribution, account=account)
    state = NodeState(process.pid, f"http://{LOOPBACK}:{port}", version, str(folder.data), users=users)
    write_state(folder, state)
    logger.info("embedded node started: process %d, %s, data %s", process.pid, state.url, folder.data)
    return process, state


def _ready_locked(folder: NodeFolder, state: NodeState, report: Report) -> NodeState:
    wait_ready(state.pid, folder=folder, url=state.url, report=report)
    state = replace(state, ready=True)
    write_state(folder, state)
    return state


def _stop_locked(folder: NodeFolder, state: NodeState | None) -> int | None:
    process = find_node(folder, state.pid if state else 0)
    if process is not None:
        stop_process(process)
        logger.info("embedded node stopped: process %d", process.pid)
    clear_state(folder)
    return process.pid if process else None


def _check_same(state: NodeState, settings: Settings, folder: NodeFolder) -> None:
    """Raises: EmbeddedNodeError where the running node is not the one that the settings describe."""
    for name, running, wanted in (
        ("SIDECAR_NODE_VERSION", state.version, settings.node_version),
        ("SIDECAR_NODE_DATA", state.data, str(folder.data)),
    ):
        if running != wanted:
            raise EmbeddedNodeError(
                f"{name} is {wanted}, but the embedded node that runs at {state.url} has {running}: stop it "
                "first (sidecar opensearch stop), or leave the setting as it was."
            )


def _running(
    folder: NodeFolder,
    state: NodeState,
    user: User | None,
    process: subprocess.Popen[bytes] | None,
    *,
    ephemeral: bool = False,
) -> RunningNode:
    return RunningNode(
        url=state.url,
        version=state.version,
        pid=state.pid,
        data=Path(state.data),
        started_by_us=process is not None,
        _folder=folder,
        _user=user,
        _process=process,
        _ephemeral=ephemeral,
    )
