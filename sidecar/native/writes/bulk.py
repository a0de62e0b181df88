"""`_bulk`: the documents of declared targets are embedded together, and sent with their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sidecar.errors import InvalidArgument, SidecarError
from sidecar.native.addressing import sent_to
from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.errors import Refused
from sidecar.native.forwarding import forward, send
from sidecar.native.json.edits import cut
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.native.writes.bulk_sending import BulkPart, send_parts
from sidecar.native.writes.document import PendingEdit
from sidecar.native.writes.grammar import UPDATE, Action, OddBody, read_actions
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.named_targets import named_targets
from sidecar.native.writes.planning import Planner
from sidecar.native.writes.readdressing import readdressed
from sidecar.native.writes.recipes import Recipe, Recipes
from sidecar.native.writes.repeats import repeated
from sidecar.native.writes.stored import stored_fields
from sidecar.native.writes.warnings import with_script_warning
from sidecar.observation.kinds import WriteNote
from sidecar.observation.request import tell

_REFUSED_PARAMETERS = frozenset({"batch_size", "type", "_type", "op_type"})
"""The cluster refuses a request that has one; no model need run for it."""


def bulk(call: NativeCall) -> NativeAnswer:
    """Answer a bulk request: `/_bulk`, `/{index}/_bulk`."""
    request = call.request
    if not is_analysed(request) or not _REFUSED_PARAMETERS.isdisjoint(request.parameters):
        return forward(call.parts, request)
    body = read_body(request)
    return repeated(call, body.text, _sent(call, body), _sent)


def _sent(call: NativeCall, body: Body) -> NativeAnswer:
    """The answer to a bulk request, sent once, with its documents' vectors."""
    while True:
        recipes = Recipes(call)
        work = _work(call, recipes, body.text)
        if work is None:
            return send(call.parts, call.request.as_read(body.raw))
        work.plan()
        work.inputs.embed()
        if recipes.are_current():
            return work.send()


def _work(call: NativeCall, recipes: Recipes, body: bytes) -> _Bulk | None:
    """What is to be done for a request's body; None where it is the cluster's as it is."""
    if not _may_have_work(call, recipes, body):
        return None
    try:
        actions = read_actions(body)
    except OddBody:
        return None
    tell(WriteNote(call.variables.get("index", ""), len(actions)))
    work = _Bulk(call, body, actions, recipes)
    return work if work.find_recipes() else None


def _may_have_work(call: NativeCall, recipes: Recipes, body: bytes) -> bool:
    """False where it is certain, in a tenth of the time of reading all actions, that nothing is to be embedded."""
    named = named_targets(body)
    if named is None:
        return True
    own_target, own_pipeline = call.variables.get("index"), call.request.parameters.get("pipeline")
    targets = [
        (own_target if index is None else index, own_pipeline if pipeline is None else pipeline)
        for index, pipeline in named
    ]
    return any(target is None or recipes.of(target, pipeline) is not None for target, pipeline in targets)


@dataclass(slots=True)
class _Bulk:
    """One bulk request on its way. ``poison`` has the errors of actions that are not sent, by their places;
    ``scripted`` the vectors that scripts may have made wrong."""

    call: NativeCall
    body: bytes
    actions: Sequence[Action]
    recipes: Recipes
    inputs: RequestInputs = field(init=False)
    poison: dict[int, SidecarError] = field(default_factory=dict)
    scripted: list[str] = field(default_factory=list)
    _recipes: list[Recipe | None] = field(default_factory=list)
    _planned: dict[int, Sequence[PendingEdit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inputs = RequestInputs(self.call.parts.embedder.document_parts())

    def find_recipes(self) -> bool:
        """Find what is to be done for each action; False where that is nothing, or some action has no target."""
        own_target = self.call.variables.get("index")
        own_pipeline = self.call.request.parameters.get("pipeline")
        for action in self.actions:
            target = own_target if action.index is None else action.index
            if target is None:
                return False
            pipeline = own_pipeline if action.pipeline is None else action.pipeline
            self._recipes.append(self.recipes.of(target, pipeline) if action.has_source else None)
        return any(recipe is not None for recipe in self._recipes)

    def plan(self) -> None:
        """Look into the documents, and take their contents in."""
        planner = Planner(self.body, self.inputs)
        for number, (action, recipe) in enumerate(zip(self.actions, self._recipes, strict=True)):
            if recipe is None:
                continue
            try:
                self._planned[number] = self._planned_edits(planner, action, recipe)
            except (Refused, InvalidArgument) as error:
                self.poison[number] = error

    def send(self) -> NativeAnswer:
        """Send what is embedded. Raises: what `send_parts` raises."""
        parts = split(self._finished(), self.call.request.max_body_bytes)
        own_target = self.call.variables.get("index")
        address = None if own_target is None else self.recipes.address(own_target)
        call = self.call
        if address is not None:
            call = replace(call, request=sent_to(call.request, address))
        if not self.poison and len(parts) == 1:
            answer = send(call.parts, call.request.with_body(parts[0].body))
        else:
            answer = send_parts(call, self._addressed_actions(), parts, self.poison)
        return with_script_warning(answer, self.scripted)

    def _finished(self) -> list[tuple[int, bytes]]:
        """The actions that are sent, by their places, each with its lines and the blank ones before it."""
        result = []
        start = 0
        for number, action in enumerate(self.actions):
            if number not in self.poison:
                try:
                    result.append((number, self._finished_lines(start, number, action)))
                except InvalidArgument as error:
                    self.poison[number] = error
            start = action.end
        if result and start < len(self.body):
            # Blank lines, or an action that the cluster ignores.
            result[-1] = (result[-1][0], result[-1][1] + self.body[start:])
        return result

    def _addressed_actions(self) -> list[Action]:
        """The actions with the concrete indexes that they are written to, as far as these are known."""
        own_target = self.call.variables.get("index")
        return [
            replace(action, index=recipe.index if recipe is not None else action.index or own_target)
            for action, recipe in zip(self.actions, self._recipes, strict=True)
        ]

    def _planned_edits(self, planner: Planner, action: Action, recipe: Recipe) -> Sequence[PendingEdit]:
        place = (action.source_start, action.source_end, recipe, action.document_id)
        if action.name != UPDATE:
            return planner.whole(*place)
        routing = self.call.request.parameters.get("routing") if action.routing is None else action.routing
        planned = planner.update(*place, stored_fields(self.call, recipe.index, action.document_id, routing))
        if planned.has_script:
            self.scripted += recipe.vectors
        return planned.edits

    def _finished_lines(self, start: int, number: int, action: Action) -> bytes:
        edits = [edit.made() for edit in self._planned.get(number, ())]
        address = None if action.index is None else self.recipes.address(action.index)
        if address is not None:
            edits += readdressed(self.body, action, address)
        return cut(self.body, edits, start, action.end)


def split(finished: Sequence[tuple[int, bytes]], most_bytes: int) -> list[BulkPart]:
    """Requests of no more than so many bytes, as long as no action alone has more; in order."""
    parts: list[BulkPart] = []
    numbers: list[int] = []
    lines: list[bytes] = []
    size = 0
    for number, text in finished:
        if numbers and size + len(text) > most_bytes:
            parts.append(BulkPart(numbers, b"".join(lines)))
            numbers, lines, size = [], [], 0
        numbers.append(number)
        lines.append(text)
        size += len(text)
    return [*parts, BulkPart(numbers, b"".join(lines))] if numbers else parts
