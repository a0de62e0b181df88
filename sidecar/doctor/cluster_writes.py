"""Whether the cluster takes writes and new indexes."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.effective_settings import read_settings

MOST_SHARDS = "cluster.max_shards_per_node"
CLUSTER_BLOCKS = ("cluster.blocks.read_only", "cluster.blocks.read_only_allow_delete", "cluster.blocks.create_index")
_DEFAULT_SHARDS = 1000
_NEARLY = 0.9
_SHOWN = 5
_FLOOD = "index.blocks.read_only_allow_delete"
_BLOCKS = (_FLOOD, "index.blocks.read_only", "index.blocks.write")


def look_at_writes(cluster: Cluster) -> Iterator[Finding]:
    """Blocks of the cluster and of its indexes, and how many shards may be made yet. Raises: OpenSearchError and its
    like."""
    settings = read_settings(cluster, [*CLUSTER_BLOCKS, MOST_SHARDS])
    blocks = [name for name in CLUSTER_BLOCKS if str(settings[name]).lower() == "true"]
    if blocks:
        yield error(
            f"the whole cluster is blocked: {', '.join(blocks)}.",
            "Lift it: set it to null by PUT /_cluster/settings; where a full disk set it, free space first.",
        )
    yield from _index_blocks(cluster)
    health = cluster.status_call("/_cluster/health?timeout=0s")
    shards = sum(int(health.get(f"{state}_shards", 0)) for state in ("active", "initializing", "unassigned"))
    yield judge_shards(shards, int(settings[MOST_SHARDS] or _DEFAULT_SHARDS) * int(health["number_of_data_nodes"]))


def judge_shards(shards: int, most: int) -> Finding:
    """How many more shards the cluster takes."""
    told = f"{shards:,} of {most:,} shards are used"
    advice = f"Delete indexes, make new ones with fewer shards, or raise {MOST_SHARDS}."
    if shards >= most:
        return error(f"{told}: no index can be made.", advice)
    if shards > _NEARLY * most:
        return warning(f"{told}.", advice)
    return ok(told)


def _index_blocks(cluster: Cluster) -> Iterator[Finding]:
    answer = cluster.status_call("/_all/_settings/index.blocks.*?flat_settings=true&ignore_unavailable=true")
    blocked: dict[str, list[str]] = {}
    for index, found in answer.items():
        for name in _BLOCKS:
            if str(found.get("settings", {}).get(name)).lower() == "true":
                blocked.setdefault(name, []).append(index)
    for name, indexes in blocked.items():
        shown = ", ".join(sorted(indexes)[:_SHOWN]) + (f" and {len(indexes) - _SHOWN} more" * (len(indexes) > _SHOWN))
        if name == _FLOOD:
            yield error(
                f"read-only, as a full disk leaves them: {shown}.",
                f"Free disk space; where the block stays, set {name} of each to null.",
            )
        else:
            yield warning(f"{name} is set on {shown}.", "Where no migration runs and nobody meant it, set it to null.")
