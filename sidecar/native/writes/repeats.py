"""Writes that are done again: their index is being switched to another, and so it is write-blocked, or gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sidecar.errors import SidecarError
from sidecar.native.bodies import Body
from sidecar.native.errors import Refused
from sidecar.native.json.writing import write
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.native.whole_answers import decoded, whole
from sidecar.native.writes.bulk_sending import MergedBulk, as_merged
from sidecar.native.writes.grammar import Action, OddBody, read_actions
from sidecar.opensearch.error_answers import WRITE_BLOCK
from sidecar.opensearch.switching import Place, SwitchWait

_BLOCK: Final = WRITE_BLOCK.encode()
_MISSING: Final = b'"index_not_found_exception"'

Send = Callable[[NativeCall, Body], NativeAnswer]
"""Sends a bulk request, its documents embedded."""


def late(reason: str) -> Refused:
    """The error of a write that waited in vain. Clients of OpenSearch repeat what is answered with 503."""
    return Refused("cluster_block_exception", reason, status=503)


def is_turned_away(text: bytes) -> bool:
    """True where an answer, or an item's error, tells of an index that takes no writes, or is not there."""
    return _BLOCK in text or _MISSING in text


def place_of(call: NativeCall, target: str, refusal: bytes) -> Place | None:
    """Where a target leads that refused a write with this text; None where it can't be tried again."""
    place = call.parts.metadata.place(target, call.request)
    is_still_missing = _BLOCK not in refusal and place is not None and place.index == target
    return None if is_still_missing else place


def repeated(call: NativeCall, text: bytes, answer: NativeAnswer, send: Send) -> NativeAnswer:
    """The answer to a bulk request, with what became of refused actions when they were sent again.

    ``text`` is the request's body. An answer without refused actions passes as it is; so does one that shows not all of
    its items (``filter_path``).
    """
    if answer.status != 200:
        return answer
    answer = whole(answer)
    if not is_turned_away(decoded(answer)):
        return answer
    try:
        actions = read_actions(text)
    except OddBody:
        return answer
    merged = MergedBulk()
    if merged.take(range(len(actions)), answer) is not None or len(merged.items) != len(actions):
        return answer
    is_changed = _Repeats(call, text, actions, merged).finish(send)
    return merged.answer(call.request) if is_changed else answer


@dataclass(frozen=True, slots=True)
class _Repeats:
    call: NativeCall
    text: bytes
    actions: Sequence[Action]
    merged: MergedBulk

    def finish(self, send: Send) -> bool:
        """Send refused actions again as long as there are some to be waited for; False where there were none."""
        is_changed = False
        with self.call.parts.switches.begin() as wait:
            while refused := self._refused(range(len(self.actions))):
                ready = self._writable(refused, wait)
                if not ready:
                    break
                self.call.parts.metadata.forget()
                self._send(ready, send)
                is_changed = True
            for number in refused if wait.reason is not None else ():
                self._fail(number, late(wait.reason or ""))
                is_changed = True
        return is_changed

    def _refused(self, numbers: Sequence[int]) -> list[int]:
        """The actions that were turned away, in order, but for those whose document a later action has changed."""
        changed: set[tuple[object, object]] = set()
        refused = []
        for number in reversed(numbers):
            outcome = self.merged.outcome(number)
            document = str(outcome.get("_index")), str(outcome.get("_id"))
            if "error" not in outcome:
                changed.add(document)
            elif is_turned_away(write(outcome["error"])) and document not in changed:
                refused.append(number)
        return refused[::-1]

    def _writable(self, numbers: Sequence[int], wait: SwitchWait) -> list[int]:
        """Those whose target takes writes again."""
        found: dict[str, bool] = {}
        for number in numbers:
            target = self._target(number)
            if target not in found:
                refusal = write(self.merged.outcome(number)["error"])
                found[target] = wait.until_writable(target, partial(place_of, self.call, target, refusal))
        return [number for number in numbers if found[self._target(number)]]

    def _send(self, numbers: Sequence[int], send: Send) -> None:
        body = b"".join(self.text[self.actions[number].start : self.actions[number].end] for number in numbers)
        call = replace(self.call, request=as_merged(self.call.request).carrying(body))
        try:
            refusal = self.merged.take(numbers, whole(send(call, Body(body, body))))
        except SidecarError as error:
            refusal = error
        if refusal is not None:
            for number in numbers:
                self._fail(number, refusal)

    def _fail(self, number: int, error: SidecarError) -> None:
        self.merged.fail(number, replace(self.actions[number], index=self._target(number)), error)

    def _target(self, number: int) -> str:
        return self.actions[number].index or self.call.variables.get("index", "")
