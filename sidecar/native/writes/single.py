"""Writes of one document: `_doc`, `_create` and `_update`."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.forwarding import forward, send
from sidecar.native.json.edits import apply
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.planning import PlannedUpdate, Planner
from sidecar.native.writes.recipes import Recipe, Recipes
from sidecar.native.writes.stored import stored_fields
from sidecar.native.writes.warnings import with_script_warning

_Plan = Callable[[Planner, Body, Recipe], PlannedUpdate]


def write_document(call: NativeCall) -> NativeAnswer:
    """Answer `/{index}/_doc`, `/{index}/_doc/{id}` and `/{index}/_create/{id}`.

    Raises: Refused, InvalidArgument for content that can't be embedded; nothing is written then.
    """

    def plan(planner: Planner, body: Body, recipe: Recipe) -> PlannedUpdate:
        return PlannedUpdate(planner.whole(0, len(body.text), recipe, call.variables.get("id")))

    return _written(call, plan)


def update_document(call: NativeCall) -> NativeAnswer:
    """Answer `/{index}/_update/{id}`. Raises: as `write_document`."""

    def plan(planner: Planner, body: Body, recipe: Recipe) -> PlannedUpdate:
        document_id = call.variables["id"]
        stored = stored_fields(call, recipe.index, document_id, call.request.parameters.get("routing"))
        return planner.update(0, len(body.text), recipe, document_id, stored)

    return _written(call, plan)


def _written(call: NativeCall, plan: _Plan) -> NativeAnswer:
    request = call.request
    if not is_analysed(request):
        return forward(call.parts, request)
    recipe = Recipes(call).of(call.variables["index"], request.parameters.get("pipeline"))
    if recipe is None:
        return forward(call.parts, request)
    body = read_body(request)
    inputs = RequestInputs(call.parts.embedder.document_parts())
    planned = plan(Planner(body.text, inputs), body, recipe)
    if not planned.edits:
        answer = send(call.parts, request.as_read(body.raw))
    else:
        inputs.embed()
        answer = send(call.parts, request.with_body(apply(body.text, [edit.made() for edit in planned.edits])))
    return with_script_warning(answer, recipe.vectors if planned.has_script else ())
