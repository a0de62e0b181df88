"""Points in time: an index as it was at one moment, to be searched page by page while it changes."""

from __future__ import annotations

import hashlib

from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.request_text import encode_json, index_path, routing_query
from sidecar.opensearch.transport import Request

_PATH = "/_search/point_in_time"
_SHOWN = 24  # characters of an id in a message


def open_point(cluster: Cluster, index: str, *, keep_alive: str, parameters: str = "") -> str:
    """Keep a concrete index as it is now, for so long after each use, as `1m`; returns the cluster's own id of that.

    `parameters` are further ones of the URL, each behind an ampersand. Raises: IndexNotFound, and what `Cluster.ask`
    raises.
    """
    target = f"{index_path(index)}{_PATH}?keep_alive={keep_alive}{parameters}"
    point: str = cluster.ask("open_point_in_time", Request("POST", target), index)["pit_id"]
    return point


def close_point(cluster: Cluster, point: str) -> bool:
    """Give up what `open_point` gave; False where it is gone already. Raises: what `Cluster.ask` raises."""
    body = encode_json({"pit_id": [point]})
    answer = cluster.ask("close_point_in_time", Request("DELETE", _PATH, body, is_repeatable=True))
    return all(closed["successful"] for closed in answer["pits"])


def open_point_in_time(cluster: Cluster, state: IndexState, *, keep_alive: str, routing: str | None = None) -> str:
    """Keep the index as it is now, for so long after each use, as `1m`; returns the id for searches of this index.

    With `routing` only the shards of that value are kept.
    Raises: IndexNotFound; InvalidArgument where the cluster allows no such time.
    """
    try:
        own_id = open_point(cluster, state.name, keep_alive=keep_alive, parameters=routing_query("&", routing))
    except OpenSearchError as error:
        if error.upstream_status == 400:
            raise InvalidArgument(f"keepAlive {keep_alive!r} can't be had: {error.message}") from error
        raise
    return f"{_mark(state, own_id)}.{own_id}"


def close_point_in_time(cluster: Cluster, state: IndexState, point_in_time: str) -> bool:
    """Give up a point in time of the index; False where there is none any more.

    Raises: InvalidArgument where it is not one of this index.
    """
    return close_point(cluster, cluster_id(state, point_in_time))


def cluster_id(state: IndexState, point_in_time: str) -> str:
    """The cluster's own id of a point in time of the index.

    Searches with it name no index: with that of another index they would answer with its documents.
    Raises: InvalidArgument where it is not one of this index.
    """
    mark, _, own_id = point_in_time.partition(".")
    if not own_id or mark != _mark(state, own_id):
        raise InvalidArgument(
            f"pointInTime {shown(point_in_time)} is not one of index '{state.index}', as it is now. Open one with "
            f"POST /indexes/{state.index}/point-in-time; where the index is named by an alias, that may have moved."
        )
    return own_id


def shown(point_in_time: str) -> str:
    """An id as it looks in a message."""
    return repr(point_in_time if len(point_in_time) <= _SHOWN else f"{point_in_time[:_SHOWN]}…")


def _mark(state: IndexState, own_id: str) -> str:
    """What ties an id to its index; one that is made anew under the same name is another."""
    return hashlib.blake2b(f"{state.uuid} {state.name} {own_id}".encode(), digest_size=8).hexdigest()
