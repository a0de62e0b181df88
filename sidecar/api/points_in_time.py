"""Routes that keep an index as it is, to be searched page by page while it changes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.schemas.points_in_time import parse_keep_alive, parse_point_in_time
from sidecar.api.services import services
from sidecar.opensearch.points_in_time import close_point_in_time, open_point_in_time

points_in_time = Blueprint("points_in_time", __name__, url_prefix="/indexes/<index>/point-in-time")


@points_in_time.post("")
def open_one(index: str) -> Response:
    """Keep the index as it is now."""
    keep_alive = parse_keep_alive(request.args.get("keepAlive"))
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    opened = open_point_in_time(parts.cluster, state, keep_alive=keep_alive, routing=request.args.get("routing"))
    return json_answer({"pointInTime": opened, "keepAlive": keep_alive})


@points_in_time.delete("")
def close_one(index: str) -> Response:
    """Let the cluster forget what it kept."""
    point_in_time = parse_point_in_time(require_json())
    parts = services()
    is_closed = close_point_in_time(parts.cluster, parts.states.get(index), point_in_time)
    return json_answer({"succeeded": is_closed})
