"""What the cluster has of an index: how much of what, on how much disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import nested_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.request_text import index_path
from sidecar.opensearch.transport import Request


@dataclass(frozen=True, slots=True)
class EmbeddedFieldCounts:
    """An embedded field: how many documents have it, and how many chunks they have of it together."""

    field: str
    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class IndexDetails:
    """``documents`` and the counts of ``fields`` are as a search sees them; bytes are those of the disks of all nodes,
    ``primary_bytes`` without replicas. ``aliases`` are sorted."""

    documents: int
    fields: Sequence[EmbeddedFieldCounts]
    aliases: Sequence[str]
    created_at: datetime
    total_bytes: int
    primary_bytes: int


def read_details(cluster: Cluster, state: IndexState) -> IndexDetails:
    """Ask the cluster, three times. Raises: IndexNotFound, and what `Cluster.ask` raises."""
    documents, fields = _count(cluster, state)
    path = index_path(state.index)
    target = f"{path}?filter_path=*.aliases,*.settings.index.creation_date"
    described = cluster.ask("read_index", Request("GET", target), state.index)[state.index]
    stats = cluster.ask("read_storage", Request("GET", f"{path}/_stats/store"), state.index)["_all"]
    milliseconds = int(described["settings"]["index"]["creation_date"])
    return IndexDetails(
        documents=documents,
        fields=fields,
        aliases=sorted(described.get("aliases", {})),
        created_at=datetime.fromtimestamp(milliseconds / 1000, timezone.utc),
        total_bytes=_stored_bytes(stats["total"]),
        primary_bytes=_stored_bytes(stats["primaries"]),
    )


def _count(cluster: Cluster, state: IndexState) -> tuple[int, list[EmbeddedFieldCounts]]:
    aggregations = {
        str(number): {"nested": {"path": nested_path(field)}, "aggs": {"documents": {"reverse_nested": {}}}}
        for number, field in enumerate(state.embedded_fields)
    }
    answer = cluster.search(state.name, {"size": 0, "track_total_hits": True, "aggs": aggregations})
    counted = answer.get("aggregations", {})
    fields = [
        EmbeddedFieldCounts(field, counted[str(number)]["documents"]["doc_count"], counted[str(number)]["doc_count"])
        for number, field in enumerate(state.embedded_fields)
    ]
    return answer["hits"]["total"]["value"], fields


def _stored_bytes(part: Mapping[str, Any]) -> int:
    # Nothing is told of an index none of whose shards is started.
    return int(part.get("store", {}).get("size_in_bytes", 0))
