"""The embedded OpenSearch node: found, started, shared, and stopped on this machine.

One node per user and home folder serves all sidecars of that user; its data stays between runs.
"""

from sidecar.opensearch.node.lifecycle import (
    NodeStatus,
    RunningNode,
    ensure_running,
    start_by_hand,
    status,
    stop,
)
from sidecar.opensearch.node.progress import Progress, Report

__all__ = [
    "NodeStatus",
    "Progress",
    "Report",
    "RunningNode",
    "ensure_running",
    "start_by_hand",
    "status",
    "stop",
]
