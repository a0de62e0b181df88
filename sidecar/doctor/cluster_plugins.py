"""Whether the cluster has the plugins that the sidecar needs."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.effective_settings import read_settings

KNN = "opensearch-knn"
SECURITY = "opensearch-security"
_KNN_ENABLED = "knn.plugin.enabled"


def look_at_plugins(cluster: Cluster) -> Iterator[Finding]:
    """k-NN on every data node, and whether its memory is enough; the security plugin.

    Raises: OpenSearchError and its like.
    """
    answer = cluster.status_call("/_nodes/plugins?filter_path=nodes.*.name,nodes.*.roles,nodes.*.plugins.name")
    nodes = list(answer.get("nodes", {}).values())
    plugins = {node["name"]: {plugin["name"] for plugin in node.get("plugins", ())} for node in nodes}
    without = [node["name"] for node in nodes if "data" in node.get("roles", ()) and KNN not in plugins[node["name"]]]
    if without:
        yield error(
            f"the k-NN plugin is missing on {', '.join(sorted(without))}: no index with vectors can be made there.",
            f"Install it on every node (opensearch-plugin install {KNN}), or take OpenSearch's full distribution.",
        )
    else:
        yield from _knn(cluster)
    has_security = any(SECURITY in each for each in plugins.values())
    yield ok("the security plugin is there" if has_security else "without the security plugin: users have no passwords")


def _knn(cluster: Cluster) -> Iterator[Finding]:
    if str(read_settings(cluster, [_KNN_ENABLED])[_KNN_ENABLED]).lower() == "false":
        yield error(
            f"the k-NN plugin is switched off ({_KNN_ENABLED}).",
            f"Set {_KNN_ENABLED} to true by PUT /_cluster/settings.",
        )
        return
    stats = cluster.status_call("/_plugins/_knn/stats/circuit_breaker_triggered")
    if stats.get("circuit_breaker_triggered"):
        yield warning(
            "k-NN has used up its memory for graphs (its circuit breaker was triggered): searches are slow.",
            "Give the nodes more memory, or raise knn.memory.circuit_breaker.limit.",
        )
    else:
        yield ok("the k-NN plugin is on every data node")
