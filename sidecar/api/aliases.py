"""Routes that give indexes other names."""

from __future__ import annotations

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.schemas.names import check_index_name, check_reserved_index_name
from sidecar.api.services import services
from sidecar.opensearch.aliases import list_aliases, move_alias, remove_alias

aliases = Blueprint("aliases", __name__, url_prefix="/indexes/<index>/aliases")


@aliases.get("")
def read_aliases(index: str) -> Response:
    """The other names of an index."""
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    return json_answer({"aliases": list_aliases(parts.cluster, state.index)})


@aliases.put("/<alias>")
def put_alias(index: str, alias: str) -> Response:
    """Let a name stand for the index, in one step where it stood for another one before."""
    check_reserved_index_name(alias)
    check_index_name(alias)
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    moved_from = move_alias(parts.cluster, alias, state.index)
    parts.states.invalidate(alias)
    return json_answer({"acknowledged": True, "alias": alias, "index": state.index, "movedFrom": moved_from})


@aliases.delete("/<alias>")
def delete_alias(index: str, alias: str) -> Response:
    """Take a name from the index, whose documents stay."""
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    remove_alias(parts.cluster, alias, state.index)
    parts.states.invalidate(alias)
    return json_answer({"acknowledged": True})
