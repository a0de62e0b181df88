"""Whether the cluster can serve: its shards' status, and room on its disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sidecar.errors import IndexNotFound, SidecarError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.effective_settings import read_settings
from sidecar.opensearch.index_state import stands_for_several
from sidecar.opensearch.request_text import index_path

_WORST_FIRST = ("red", "yellow", "green")
_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_FLOOD_STAGE = "cluster.routing.allocation.disk.watermark.flood_stage"
_DEFAULT_WATERMARK = "95%"  # OpenSearch's own
_FLOOD_BLOCK = "12"  # IndexMetadata.INDEX_READ_ONLY_ALLOW_DELETE_BLOCK
_NO_MANAGER = (
    "The cluster has no cluster manager, so that it takes no writes. See whether enough of its nodes run and reach one "
    "another; their logs tell more."
)
_RED = (
    "The cluster is red: shards are missing, and requests to their indexes fail. GET _cluster/allocation/explain of "
    "the cluster says why."
)


@dataclass(frozen=True)
class ClusterHealth:
    """`status` is green, yellow or red; storage is available where no disk passed its flood stage."""

    status: str
    storage_is_available: bool


def read_health(cluster: Cluster, index: str | None = None) -> ClusterHealth:
    """The worst of the cluster's status (or that of one index) and its disks (a full one is yellow).

    An index that does not exist is red. Raises: NotASidecarIndex for an alias of several indexes;
    OpenSearchUnreachable, OpenSearchTimeout, OpenSearchError.
    """
    try:
        path = f"{index_path(index)}?level=indices&" if index is not None else "?"
    except IndexNotFound:
        return ClusterHealth(status="red", storage_is_available=_has_room(cluster))
    # Without a timeout of 0 the cluster waits 30 s for an index that does not exist.
    health = cluster.status_call(f"/_cluster/health{path}timeout=0s")
    if index is not None and len(health.get("indices", {})) > 1:
        raise stands_for_several(index, health["indices"])
    status = health.get("status")
    has_room = _has_room(cluster)
    statuses = [status if status in _WORST_FIRST else "red", "green" if has_room else "yellow"]
    return ClusterHealth(status=min(statuses, key=_WORST_FIRST.index), storage_is_available=has_room)


@dataclass(frozen=True)
class Troubles:
    """What is amiss, in sentences with what to do: ``reasons`` why nothing can be served, and ``warnings`` of what
    fails although most is."""

    reasons: list[str]
    warnings: list[str]


def find_troubles(cluster: Cluster) -> Troubles:
    """What keeps the cluster from serving, as its answering node knows it: no other node is waited for.

    A red cluster serves all other indexes, and one with a full disk searches: these are warnings. What the user may not
    read is not told of.
    """
    try:
        cluster.status_call("/")
    except SidecarError as error:
        return Troubles([error.message], [])
    health = _told(cluster, "/_cluster/health?local=true&timeout=0s")
    if health.get("discovered_cluster_manager") is False:
        return Troubles([_NO_MANAGER], [])
    blocks = _told(cluster, "/_cluster/state/blocks?local=true").get("blocks", {}).get("indices", {})
    full = [index for index, own in blocks.items() if _FLOOD_BLOCK in own]
    warnings = [_RED] if health.get("status") == "red" else []
    if full:
        warnings.append(
            f"A disk of the cluster passed its flood-stage watermark: {len(full)} of its indexes take no documents. "
            "Free disk space, or delete indexes or documents; OpenSearch lifts the block itself when there is room."
        )
    return Troubles([], warnings)


def _told(cluster: Cluster, target: str) -> dict[str, Any]:
    """What the cluster tells; nothing where the user may not ask."""
    try:
        return cluster.status_call(target)
    except SidecarError:
        return {}


def free_bytes_needed(watermark: str, total_bytes: int) -> float:
    """The free bytes below which a disk counts as full.

    `watermark` is a percentage or ratio of used space (`95%`, `0.95`) or free space in bytes (`500mb`); one
    that can't be read counts as the default, 95 %.
    """
    text = watermark.strip().lower()
    try:
        if text.endswith("%"):
            return total_bytes * (1 - float(text[:-1]) / 100)
        for unit in sorted(_UNITS, key=len, reverse=True):
            if text.endswith(unit):
                return float(text[: -len(unit)]) * _UNITS[unit]
        return total_bytes * (1 - float(text))
    except ValueError:
        return free_bytes_needed(_DEFAULT_WATERMARK, total_bytes)


def _has_room(cluster: Cluster) -> bool:
    settings = read_settings(cluster, [_FLOOD_STAGE])
    disks = cluster.status_call("/_nodes/stats/fs?filter_path=nodes.*.fs.total")
    watermark = str(settings[_FLOOD_STAGE] or _DEFAULT_WATERMARK)
    for node in disks.get("nodes", {}).values():
        total = node["fs"]["total"]
        # A node without the numbers (they are negative then) is not known to be full.
        if 0 <= total.get("available_in_bytes", -1) <= free_bytes_needed(watermark, total.get("total_in_bytes", 0)):
            return False
    return True
