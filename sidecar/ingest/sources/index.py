"""Another index, of OpenSearch or Elasticsearch: each of its shards is a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from sidecar.errors import InvalidArgument, SidecarError
from sidecar.ingest.sources.index_location import index_location
from sidecar.ingest.sources.index_shards import ShardPart
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource
from sidecar.ingest.sources.source import Part
from sidecar.opensearch.client import Cluster, parse_version
from sidecar.opensearch.transport import Request

_FIRST_WITH_POINTS_IN_TIME = (2, 4, 0)


def open_index(options: SourceOptions) -> PartsSource:
    """The source of the documents of an index, or of the indexes of an alias, as they are stored, without their
    vectors.

    Raises: InvalidArgument where the cluster can't be asked, or has no such index.
    """
    location = index_location(options)
    cluster, index = location.cluster(), location.index
    with location.asked():
        names = _indexes(cluster, index)
        # Who may only read gets what is searchable already.
        with suppress(SidecarError):
            cluster.ask("refresh", Request("POST", f"{_path(index)}/_refresh", is_repeatable=True), index)
        has_points = _has_points_in_time(cluster)
        parts: list[Part] = [
            ShardPart(location, name, shard, history, has_points)
            for name in names
            for shard, history in sorted(_histories(cluster, name).items())
        ]
    return PartsSource(location.shown, parts)


def _indexes(cluster: Cluster, index: str) -> list[str]:
    """The indexes of a name. Raises: InvalidArgument where it is an alias of some of their documents only."""
    aliases = cluster.ask("read_aliases", Request("GET", f"{_path(index)}/_alias"), index)
    for name, value in aliases.items():
        alias = value.get("aliases", {}).get(index, {})
        if alias.keys() & {"filter", "search_routing", "index_routing"}:
            raise InvalidArgument(
                f"it is an alias with a filter or a routing of index {name}, which would not be heeded. Name the index."
            )
    return sorted(aliases)


def _has_points_in_time(cluster: Cluster) -> bool:
    """True for OpenSearch from 2.4 on. Elasticsearch has points in time of its own; it is scrolled over."""
    version: Any = cluster.ask("facts", Request("GET", "/")).get("version", {})
    is_opensearch = version.get("distribution") == "opensearch"
    return is_opensearch and parse_version(str(version.get("number"))) >= _FIRST_WITH_POINTS_IN_TIME


def _histories(cluster: Cluster, index: str) -> dict[int, str]:
    """Of each shard, what changes with each write to it."""
    stats = cluster.ask("read_shards", Request("GET", f"{_path(index)}/_stats/docs?level=shards"), index)
    found = stats["indices"].get(index, {})
    shards: Mapping[str, Sequence[Mapping[str, Any]]] = found.get("shards", {})
    histories = {}
    for number, copies in shards.items():
        primary = next((copy for copy in copies if copy["routing"]["primary"]), copies[0])
        histories[int(number)] = f"{found.get('uuid')}-{primary['seq_no']['max_seq_no']}"
    if not histories:
        raise InvalidArgument(f"no shard of index {index} can be read now.")
    return histories


def _path(index: str) -> str:
    return "/" + quote(index, safe="")
