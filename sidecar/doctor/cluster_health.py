"""Whether the cluster has all its shards, and room on its disks."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.cluster_health import read_health

_EXPLAIN = "GET /_cluster/allocation/explain, on the cluster, says why."


def look_at_health(cluster: Cluster) -> Iterator[Finding]:
    """The cluster's status, and its disks. Raises: OpenSearchError and its like."""
    if not read_health(cluster).storage_is_available:
        yield error(
            "a disk of the cluster is past its flood stage: indexes are read-only.",
            "Free disk space, or delete indexes; OpenSearch lifts the block itself when there is room again.",
        )
    status = cluster.status_call("/_cluster/health?timeout=0s")
    missing = int(status.get("unassigned_shards", 0))
    told = f"the cluster is {status.get('status')}"
    if status.get("status") == "red":
        yield error(f"{told}: shards are lost, {missing} are unassigned.", _EXPLAIN)
    elif status.get("status") == "yellow" and missing:
        yield warning(
            f"{told}: {missing} shards have no place.",
            f"Replicas need a second node: add one, or set number_of_replicas to 0. {_EXPLAIN}",
        )
    else:
        yield ok(f"{told}; data nodes: {status.get('number_of_data_nodes')}")
