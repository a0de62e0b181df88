"""What the sidecars of one home know of their node: a state file, changed only under a lock.

Both outlive kill -9 of either side: the lock is the kernel's, and the state names processes in a way that can
be checked. A state that is lost costs a restart at worst: a node is found by its command line too.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import psutil
from filelock import FileLock, Timeout

from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node.places import NodeFolder
from sidecar.opensearch.node.progress import Progress, Report
from sidecar.whole_file import write_whole

# Numbers of processes come round after thousands of others; the clock that tells starts may be set.
SAME_START_SECONDS = 60.0


@dataclass(frozen=True)
class User:
    """One use of the node: the process that uses it, when that started (Unix time), and a name of the use."""

    pid: int
    started: float
    token: str

    @classmethod
    def this_process(cls) -> User:
        return cls(os.getpid(), psutil.Process().create_time(), uuid.uuid4().hex)

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.started) < SAME_START_SECONDS
            return is_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class NodeState:
    """A node that was launched.

    pid: 0 before the launch. ready: whether it has ever answered. by_hand: it stays when the last user goes.
    """

    pid: int
    url: str
    version: str
    data: str
    ready: bool = False
    by_hand: bool = False
    users: tuple[User, ...] = ()

    def without_user(self, user: User) -> NodeState:
        return replace(self, users=tuple(other for other in self.users if other.token != user.token))

    def with_living_users(self) -> NodeState:
        return replace(self, users=tuple(user for user in self.users if user.is_alive()))


def read_state(folder: NodeFolder) -> NodeState | None:
    """What the state file says; None where there is none, or it is not one of ours."""
    try:
        values = json.loads(folder.state.read_text("utf-8"))
        users = tuple(User(**user) for user in values.pop("users"))
        return NodeState(**values, users=users)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_state(folder: NodeFolder, state: NodeState) -> None:
    """Replace the state file whole, so that readers without the lock see the old or the new one."""
    write_whole(folder.state, json.dumps(asdict(state), indent=1).encode())


def clear_state(folder: NodeFolder) -> None:
    """Forget the node."""
    folder.state.unlink(missing_ok=True)


@contextmanager
def locked(folder: NodeFolder, report: Report) -> Iterator[None]:
    """Hold the node's lock; whoever starts or stops the node holds it until that is done.

    Raises: EmbeddedNodeError where the lock file belongs to another user.
    """
    lock = FileLock(folder.lock)
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            report(Progress("waiting for another sidecar that starts or stops the node"))
            lock.acquire()
    except PermissionError as error:
        raise EmbeddedNodeError(
            f"The embedded node under {folder.root} is another user's: set SIDECAR_HOME to a folder of yours."
        ) from error
    try:
        yield
    finally:
        lock.release()
