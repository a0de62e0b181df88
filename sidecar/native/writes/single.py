"""Requests about one document: `_doc`, `_create` and `_update`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sidecar.native.addressing import sent_to
from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.forwarding import forward, send
from sidecar.native.json.edits import apply
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.native.whole_answers import decoded, whole
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.planning import PlannedUpdate, Planner
from sidecar.native.writes.recipes import Recipe, Recipes
from sidecar.native.writes.repeats import is_turned_away, late, place_of
from sidecar.native.writes.stored import stored_fields
from sidecar.native.writes.warnings import with_script_warning

_REFUSING = frozenset({403, 404})
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


def delete_document(call: NativeCall) -> NativeAnswer:
    """Answer the deletion of `/{index}/_doc/{id}`."""
    if call.request.has_body:
        return forward(call.parts, call.request)
    return _repeated(call, Recipes(call), lambda _: forward(call.parts, call.request))


def _written(call: NativeCall, plan: _Plan) -> NativeAnswer:
    request = call.request
    if not is_analysed(request):
        return forward(call.parts, request)
    recipes = Recipes(call)
    if _recipe(call, recipes) is None:
        return forward(call.parts, request)
    body = read_body(request)
    return _repeated(call, recipes, lambda own: _sent(call, plan, body, own))


def _repeated(call: NativeCall, recipes: Recipes, send_once: Callable[[Recipes], NativeAnswer]) -> NativeAnswer:
    """The answer to a write that is sent again where an index that is being switched to another refused it.

    Raises: Refused where it waited for that in vain.
    """
    target = call.variables["index"]
    with call.parts.switches.begin() as wait:
        while True:
            answer = send_once(recipes)
            if answer.status not in _REFUSING:
                return answer
            answer = whole(answer)
            refusal = decoded(answer)
            if not is_turned_away(refusal):
                return answer
            if not wait.until_writable(target, partial(place_of, call, target, refusal)):
                break
            call.parts.metadata.forget()
            recipes = Recipes(call)
    if wait.reason is None:
        return answer
    raise late(wait.reason)


def _sent(call: NativeCall, plan: _Plan, body: Body, recipes: Recipes) -> NativeAnswer:
    request = call.request
    while True:
        recipe = _recipe(call, recipes)
        inputs = RequestInputs(call.parts.embedder.document_parts())
        planned = PlannedUpdate([]) if recipe is None else plan(Planner(body.text, inputs), body, recipe)
        inputs.embed()
        if recipes.are_current():
            break
        recipes = Recipes(call)
    address = recipes.address(call.variables["index"])
    if address is not None:
        request = sent_to(request, address)
    if planned.edits:
        answer = send(call.parts, request.with_body(apply(body.text, [edit.made() for edit in planned.edits])))
    else:
        answer = send(call.parts, request.as_read(body.raw))
    return with_script_warning(answer, recipe.vectors if recipe is not None and planned.has_script else ())


def _recipe(call: NativeCall, recipes: Recipes) -> Recipe | None:
    return recipes.of(call.variables["index"], call.request.parameters.get("pipeline"))
