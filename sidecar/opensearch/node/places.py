"""Where the embedded node's things lie.

They lie under the home folder. Where the sidecar runs as root and the node's user can't enter that (as with
``/root``), they lie under ``/var/lib/vector-sidecar`` instead, each home folder with a node of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sidecar.config import Settings
from sidecar.opensearch.node.account import Account

ROOT_FOLDER = Path("/var/lib/vector-sidecar")


@dataclass(frozen=True)
class NodeFolder:
    """The folder of one node: who it is, how it is configured, what it logs."""

    root: Path
    data: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def log(self) -> Path:
        """What OpenSearch logs, over several starts."""
        return self.logs / "node.log"

    @property
    def console(self) -> Path:
        """What Java and OpenSearch complain of since the last start."""
        return self.root / "console.log"


@dataclass(frozen=True)
class Places:
    """The folders of one home: downloads shared by all nodes, the lasting node, and the ephemeral ones."""

    shared: Path
    node: NodeFolder
    ephemeral: Path

    def distribution(self, version: str) -> Path:
        """The unpacked OpenSearch of that version, with its k-NN plugin."""
        return self.shared / "opensearch" / version

    @property
    def java(self) -> Path:
        """Where a downloaded JDK is kept."""
        return self.shared / "java"


def places_of(settings: Settings, account: Account | None) -> Places:
    """The places for these settings, none of them made yet."""
    shared, name = settings.home, "node"
    if account is not None and not account.can_enter(settings.home):
        shared = ROOT_FOLDER
        name = "node-" + hashlib.sha256(str(settings.home).encode()).hexdigest()[:8]
    root = shared / name
    return Places(shared, NodeFolder(root, settings.node_data or root / "data"), root / "ephemeral")
