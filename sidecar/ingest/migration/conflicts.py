"""Which documents have versions that no migration has given them."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

_MOST_CHANGES = 10**13
"""Of a shard, while its index is being copied: versions further above the base are not ours."""


def foreign_versions(cluster: Cluster, index: str, actions: Sequence[BulkAction], version_base: int) -> dict[str, int]:
    """Of the documents that the actions are on, those whose version is above all that a migration gives, and it."""
    places = [
        {"_id": action.document_id} | ({} if action.routing is None else {"routing": action.routing})
        for action in actions
    ]
    target = f"{index_path(index)}/_mget?_source=false"
    request = Request("POST", target, encode_json({"docs": places}), is_repeatable=True)
    docs = cluster.ask("read_versions", request, index)["docs"]
    versions = {item["_id"]: int(item["_version"]) for item in docs if item.get("found")}
    return {key: version for key, version in versions.items() if version > version_base + _MOST_CHANGES}
