"""Bulk requests whose answer is put together here: some actions are refused, or the body had to be split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.errors import OpenSearchError, SidecarError
from sidecar.native.errors import JSON_TYPE, STATUS, Refused, error_object, native_status
from sidecar.native.forwarding import send
from sidecar.native.json.filter_path import FilterPath
from sidecar.native.json.spans import Array, NotJson, Object, read
from sidecar.native.json.writing import Value, as_value, quoted, write
from sidecar.native.parts import NativeCall
from sidecar.native.request import MERGED_WITHOUT, NativeAnswer, NativeRequest
from sidecar.native.whole_answers import decoded, whole
from sidecar.native.writes.grammar import Action
from sidecar.opensearch.passthrough import Header, RawRequest

_OWN_PARAMETERS = frozenset({"filter_path", "pretty", "format"})
"""What an answer looks like is seen to when it is put together."""
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class BulkPart:
    """One request to the cluster; ``numbers`` are the places of its actions in the client's request."""

    numbers: Sequence[int]
    body: bytes


@dataclass(slots=True)
class MergedBulk:
    """What is known of the answer so far: ``items`` by their places."""

    took: int = 0
    ingest_took: int | None = None
    items: dict[int, Value] = field(default_factory=dict)
    headers: list[Header] = field(default_factory=list)

    def take(self, numbers: Sequence[int], answer: NativeAnswer) -> SidecarError | None:
        """Take in the items of an answer to the actions of these places; why not, for an answer that has none.

        The answer is `whole`.
        """
        body = decoded(answer)
        try:
            found = read(body)
        except NotJson:
            found = None
        items = found.get("items") if isinstance(found, Object) else None
        if answer.status != 200 or not isinstance(found, Object) or not isinstance(items, Array):
            return _as_error(answer)
        self.took += _integer(found, body, "took") or 0
        ingest_took = _integer(found, body, "ingest_took")
        if ingest_took is not None:
            self.ingest_took = (self.ingest_took or 0) + ingest_took
        self.items |= {number: as_value(item, body) for number, item in zip(numbers, items.items, strict=False)}
        self.headers += [header for header in answer.headers if header not in self.headers]
        return None

    def fail(self, number: int, action: Action, error: SidecarError) -> None:
        """Let an action's item be an error."""
        self.items[number] = _error_item(action, error)

    def outcome(self, number: int) -> dict[str, Value]:
        """What an item says under the name of its action."""
        item = self.items[number]
        outcome = next(iter(item.values()), b"") if isinstance(item, dict) else b""
        return outcome if isinstance(outcome, dict) else {}

    def answer(self, request: NativeRequest) -> NativeAnswer:
        """The answer as the request's parameters want it."""
        value: dict[str, Value] = {"took": b"%d" % self.took}
        if self.ingest_took is not None:
            value["ingest_took"] = b"%d" % self.ingest_took
        value["errors"] = b"true" if any("error" in self.outcome(number) for number in self.items) else b"false"
        value["items"] = [self.items[number] for number in sorted(self.items)]
        shown: Value = value
        filter_path = request.parameters.get("filter_path")
        if filter_path:
            shown = FilterPath.parse(filter_path).apply(value)
        body = write(shown, pretty=request.parameters.get("pretty", "false") in {"", "true"})
        return NativeAnswer(200, self._headers(len(body)), [body])

    def _headers(self, size: int) -> list[Header]:
        kept = [(name, value) for name, value in self.headers if not name.lower().startswith("content-")]
        return [("content-type", JSON_TYPE), ("content-length", str(size)), *kept]


def send_parts(
    call: NativeCall, actions: Sequence[Action], parts: Sequence[BulkPart], poison: Mapping[int, SidecarError]
) -> NativeAnswer:
    """Send the parts one after another; items are in the client's order, with the errors of those that are poison.

    The cluster's answer to a part that failed as a whole is the answer, as long as nothing was written; later it is
    that of each of the part's items, and of those after it. ``actions`` name the index that they are written to.
    """
    merged = MergedBulk()
    refusal: SidecarError | None
    for number, error in poison.items():
        merged.fail(number, actions[number], error)
    for position, part in enumerate(parts):
        try:
            answer = whole(send(call.parts, _request(call.request, part.body)))
            refusal = merged.take(part.numbers, answer)
        except OpenSearchError as failure:
            if not position:
                raise
            refusal = failure
        else:
            if refusal is not None and not position and answer.status != _TOO_LARGE:
                return answer
        if refusal is None:
            continue
        is_too_large = native_status(refusal) == _TOO_LARGE
        # Whatever else made it fail would make the next ones fail too.
        failed = [part] if is_too_large else parts[position:]
        for number in (number for one in failed for number in one.numbers):
            merged.fail(number, actions[number], refusal)
        if not is_too_large:
            break
    return merged.answer(call.request)


def as_merged(request: NativeRequest) -> NativeRequest:
    """The request as it is sent where its answer is to be put together with others."""
    return request.without_parameters(_OWN_PARAMETERS).without_headers(MERGED_WITHOUT)


def _request(request: NativeRequest, body: bytes) -> RawRequest:
    return as_merged(request).with_body(body)


def _error_item(action: Action, error: SidecarError) -> Value:
    told = error_object(error)
    outcome: dict[str, Value] = {
        "_index": quoted(action.index or ""),
        "_id": b"null" if action.document_id is None else quoted(action.document_id),
        "status": b"%d" % native_status(error),
        "error": {key: quoted(str(value)) for key, value in told.items()},
    }
    return {action.name: outcome}


def _as_error(answer: NativeAnswer) -> SidecarError:
    body = decoded(answer)
    try:
        root = read(body)
        error = root.get("error") if isinstance(root, Object) else None
        if isinstance(error, Object):
            told = {key: value.value(body) for key, value in error.items() if key in {"type", "reason"}}
            return Refused(str(told.get("type")), str(told.get("reason")), status=answer.status)
    except NotJson:
        pass
    return Refused(
        STATUS, f"the cluster refused this part of the request: status {answer.status}", status=answer.status
    )


def _integer(node: Object, body: bytes, key: str) -> int | None:
    found = node.get(key)
    return None if found is None else int(found.text(body))
