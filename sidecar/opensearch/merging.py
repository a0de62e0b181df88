"""An index in its smallest form, and its size."""

from __future__ import annotations

from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import error_from_cause
from sidecar.opensearch.request_text import index_path
from sidecar.opensearch.transport import Request

_WAIT_SECONDS = 20
"""How long one request waits for the end: less than any time limit on the way."""


def merge_segments(cluster: Cluster, index: str) -> None:
    """Merge each shard of an index to one segment, which drops what was deleted; returns when that is done.

    Raises: IndexNotFound, OpenSearchError; the cluster may still merge then.
    """
    target = f"{index_path(index)}/_forcemerge?max_num_segments=1&wait_for_completion=false"
    task = str(cluster.ask("merge_segments", Request("POST", target), index)["task"])
    while (ended := _wait(cluster, task)) is None:
        continue
    if "error" in ended:
        raise error_from_cause(ended["error"], index)


def primary_bytes(cluster: Cluster, index: str) -> int:
    """The size on disk of the segments of an index's primary shards.

    What the cluster tells in its statistics may be ten seconds old (`index.store.stats_refresh_interval`).
    """
    target = f"{index_path(index)}/_segments?filter_path=indices.*.shards"
    (found,) = cluster.ask("index_size", Request("GET", target), index)["indices"].values()
    return sum(
        segment["size_in_bytes"]
        for copies in found["shards"].values()
        for copy in copies
        if copy["routing"]["primary"]
        for segment in copy["segments"].values()
    )


def _wait(cluster: Cluster, task: str) -> dict[str, Any] | None:
    """The task's answer; None while it runs."""
    try:
        answer = cluster.read_task(task, wait_seconds=_WAIT_SECONDS)
    except OpenSearchError as error:
        if error.upstream_type == "timeout_exception":
            return None
        raise
    return answer if answer.get("completed") else None
