"""Which documents an index has, by their ids alone."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.request_text import encode_json, index_path, routing_query
from sidecar.opensearch.transport import Request


def find_ids(cluster: Cluster, index: str, document_ids: Iterable[str], *, routing: str | None = None) -> set[str]:
    """Those of the ids that the index has now, refresh or not. Raises: what `Cluster.ask` raises."""
    ids = list(dict.fromkeys(document_ids))
    if not ids:
        return set()
    target = f"{index_path(index)}/_mget?_source=false{routing_query('&', routing)}"
    request = Request("POST", target, encode_json({"ids": ids}), is_repeatable=True)
    found = set()
    for item in cluster.ask("find_ids", request, index)["docs"]:
        if "error" in item:
            raise OpenSearchError(
                f"Nobody can tell whether index '{index}' has document '{item['_id']}': {item['error'].get('reason')}",
                upstream_type=str(item["error"].get("type", "")),
            )
        if item["found"]:
            found.add(item["_id"])
    return found
