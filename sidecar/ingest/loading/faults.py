"""Which failures are a document's own, and which stop or hold up the whole load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.errors import (
    DiskFull,
    EndpointUnavailable,
    OpenSearchError,
    OpenSearchRejected,
    OpenSearchTimeout,
    OpenSearchUnreachable,
    SidecarError,
    TooManyRequests,
)
from sidecar.opensearch.error_answers import disk_full, index_not_found, is_flood_stage

_BUSY_OR_AWAY = frozenset({429, 502, 503, 504})
_BLOCKED = "cluster_block_exception"
_SHARD_AWAY = frozenset(
    {
        "no_shard_available_action_exception",
        "shard_not_found_exception",
        "illegal_index_shard_state_exception",
        "node_not_connected_exception",
    }
)
"""What parts of an answer say that has a status of its own: a shard is not there yet, or not any more."""
_NO_INDEX = "index_not_found_exception"


def may_pass(error: BaseException) -> bool:
    """True for what may be over in a moment, or when somebody has made room: the same is to be tried again."""
    if isinstance(error, (OpenSearchUnreachable, OpenSearchTimeout, OpenSearchRejected, DiskFull)):
        return True
    if isinstance(error, (EndpointUnavailable, TooManyRequests)):
        return True
    if not isinstance(error, OpenSearchError):
        return False
    return error.upstream_status in _BUSY_OR_AWAY or error.upstream_type in {_BLOCKED, *_SHARD_AWAY}


def fault_of_item(item: Mapping[str, Any], index: str) -> SidecarError | None:
    """The fault of the whole load that a failed item shows; None where it is the document's own."""
    error = item["error"]
    status = item.get("status")
    if isinstance(error, str):
        return OpenSearchRejected(error) if status in _BUSY_OR_AWAY else None
    kind, reason = str(error.get("type")), str(error.get("reason"))
    if is_flood_stage(error):
        return disk_full(f"index '{index}'")
    if kind == _NO_INDEX:
        return index_not_found(index)
    if kind in (OpenSearchUnreachable.code, OpenSearchTimeout.code):
        return OpenSearchUnreachable(reason)
    if status in _BUSY_OR_AWAY or kind in {_BLOCKED, *_SHARD_AWAY}:
        return OpenSearchError(
            f"OpenSearch takes no writes for index '{index}': {reason}",
            upstream_status=int(status or 503),
            upstream_type=kind,
        )
    return None
