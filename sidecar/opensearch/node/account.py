"""The account the node runs under: OpenSearch refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import EmbeddedNodeError

UNPRIVILEGED_USER = "nobody"
FOLDER_MODE = 0o755
FILE_MODE = 0o644
PRIVATE_MODE = 0o700


@dataclass(frozen=True)
class Account:
    """A user of this machine that a process started by root drops to."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether others may enter the folder, or the part of its path that exists."""
        existing = [part for part in (folder, *folder.parents) if part.exists()]
        return all(part.stat().st_mode & stat.S_IXOTH for part in existing)


def node_account() -> Account | None:
    """The account to drop to, or None where this process is not root and the node runs as its own user.

    Raises: EmbeddedNodeError where root has no unprivileged user to drop to.
    """
    if os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as error:
        raise EmbeddedNodeError(
            f"OpenSearch does not run as root, and there is no user '{UNPRIVILEGED_USER}' to run it as: "
            "start the sidecar as another user, or set OPENSEARCH_URL to a running cluster."
        ) from error
    return Account(user.pw_name, user.pw_uid, user.pw_gid)


def make_shared_folder(folder: Path) -> None:
    """Make the folder and its missing parents; those that root makes may be entered by any user.

    Raises: EmbeddedNodeError where this process may not.
    """
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    try:
        for part in reversed(missing):
            part.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                part.chmod(FOLDER_MODE)
    except OSError as error:
        raise EmbeddedNodeError(
            f"The folder {folder} of the embedded node can't be made ({error.strerror}): set SIDECAR_HOME "
            "to a folder that you may write to."
        ) from error


def make_node_folder(folder: Path, account: Account | None) -> None:
    """Make a folder that the node, and no other user, may read and write.

    Raises: EmbeddedNodeError where the folder is another user's, or the node's user can't get to it.
    """
    make_shared_folder(folder.parent)
    if not folder.exists():
        folder.mkdir(mode=PRIVATE_MODE)
    if account is None:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise EmbeddedNodeError(f"The embedded node may not write to {folder}: give it to your user.")
        return
    if not account.can_enter(folder.parent):
        raise EmbeddedNodeError(
            f"The embedded node runs as user '{account.name}', who can't enter {folder}: choose a folder "
            "that others may enter (SIDECAR_NODE_DATA)."
        )
    if folder.stat().st_uid == account.uid:
        return
    if any(folder.iterdir()):
        raise EmbeddedNodeError(
            f"{folder} is not empty, and not of user '{account.name}', whom the embedded node runs as: "
            f"choose another folder (SIDECAR_NODE_DATA), or give it over (chown -R {account.name} {folder})."
        )
    os.chown(folder, account.uid, account.gid)
    folder.chmod(PRIVATE_MODE)
