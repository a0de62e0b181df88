"""Routes that make, look at and delete indexes."""

from __future__ import annotations

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.bodies import NO_BODY, read_json
from sidecar.api.index_creation import make_index, plan_index
from sidecar.api.operations import health_body
from sidecar.api.schemas.names import check_reserved_index_name, is_reserved_index_name
from sidecar.api.schemas.problems import not_a
from sidecar.api.services import services
from sidecar.errors import InvalidArgument, Unprocessable
from sidecar.opensearch.cluster_health import read_health
from sidecar.opensearch.embedded_paths import nested_path

indexes = Blueprint("indexes", __name__, url_prefix="/indexes")


@indexes.get("")
def list_indexes() -> Response:
    """The indexes that this API has made."""
    names = services().cluster.list_indexes()
    return json_answer({"results": [{"index_name": name} for name in names if not is_reserved_index_name(name)]})


@indexes.post("/<index>")
def create_index(index: str) -> Response:
    """Make an index with the settings in the body, over the defaults."""
    parts = services()
    check_reserved_index_name(index)
    body = read_json()
    if body is NO_BODY:
        body = None
    if body is not None and not isinstance(body, dict):
        raise Unprocessable([not_a("dict", "body")])
    make_index(index, plan_index(body, parts), parts)
    return json_answer({"acknowledged": True, "shards_acknowledged": True, "index": index})


@indexes.delete("/<index>")
def delete_index(index: str) -> Response:
    """Delete an index that this API has made, and all documents in it."""
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    if state.index != index:
        raise InvalidArgument(
            f"{index!r} is an alias of index {state.index!r}. Delete the index by its own name, or the alias with "
            f"DELETE /indexes/{state.index}/aliases/{index}."
        )
    parts.cluster.delete_index(index)
    parts.states.invalidate(index)
    return json_answer({"acknowledged": True})


@indexes.get("/<index>/settings")
def read_settings(index: str) -> Response:
    """The index's settings, complete."""
    return json_answer(services().states.get(index, is_fresh=True).settings.to_wire())


@indexes.get("/<index>/stats")
def read_stats(index: str) -> Response:
    """How many documents and chunks a search can find."""
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    documents, vectors = parts.cluster.count(state.name, map(nested_path, state.embedded_fields))
    return json_answer({"numberOfDocuments": documents, "numberOfVectors": vectors})


@indexes.get("/<index>/health")
def read_index_health(index: str) -> Response:
    """The health of one index; one that does not exist is red."""
    return json_answer(health_body(read_health(services().cluster, index)))


@indexes.post("/<index>/refresh")
def refresh(index: str) -> Response:
    """Let searches see all documents that were written."""
    parts = services()
    parts.states.get(index)
    return json_answer({"_shards": parts.cluster.refresh(index)})
