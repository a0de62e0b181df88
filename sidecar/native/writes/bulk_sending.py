"""Bulk requests whose answer is put together here: some actions are refused, or the body had to be split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.errors import OpenSearchError, SidecarError
from sidecar.native.errors import JSON_TYPE, STATUS, Refused, error_object, native_status
from sidecar.native.json.filter_path import FilterPath
from sidecar.native.json.spans import Array, NotJson, Object, read
from sidecar.native.json.writing import Value, as_value, quoted, write
from sidecar.native.parts import NativeCall
from sidecar.native.request import MERGED_WITHOUT, NativeAnswer, NativeRequest
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
class _Merged:
    """What is known of the answer so far: ``items`` by their places."""

    took: int = 0
    ingest_took: int | None = None
    errors: bool = False
    items: dict[int, Value] = field(default_factory=dict)
    headers: list[Header] = field(default_factory=list)


def send_parts(
    call: NativeCall, actions: Sequence[Action], parts: Sequence[BulkPart], poison: Mapping[int, SidecarError]
) -> NativeAnswer:
    """Send the parts one after another; items are in the client's order, with the errors of those that are poison.

    The cluster's answer to a part that failed as a whole is the answer, as long as nothing was written; later it is
    that of each of the part's items, and of those after it. ``actions`` name the index that they are written to.
    """
    merged = _Merged()
    for number, error in poison.items():
        merged.items[number] = _error_item(actions[number], error)
        merged.errors = True
    for position, part in enumerate(parts):
        refusal = _send(call, part, merged)
        if isinstance(refusal, NativeAnswer):
            if not position and refusal.status != _TOO_LARGE:
                return refusal
            refusal = _as_error(refusal)
        if refusal is None:
            continue
        if not position and isinstance(refusal, OpenSearchError):
            raise refusal
        is_too_large = native_status(refusal) == _TOO_LARGE
        # Whatever else made it fail would make the next ones fail too.
        failed = [part] if is_too_large else parts[position:]
        for number in (number for one in failed for number in one.numbers):
            merged.items[number] = _error_item(actions[number], refusal)
        merged.errors = True
        if not is_too_large:
            break
    return _answer(call.request, merged)


def _send(call: NativeCall, part: BulkPart, merged: _Merged) -> NativeAnswer | SidecarError | None:
    """Send one part and take its items in; an answer that has none, or why there is no answer, is returned."""
    try:
        answer = call.parts.upstream.send(_request(call.request, part.body))
        body = answer.read()
    except OpenSearchError as error:
        return error
    try:
        found = read(body)
    except NotJson:
        found = None
    items = found.get("items") if isinstance(found, Object) else None
    if answer.status != 200 or not isinstance(found, Object) or not isinstance(items, Array):
        return NativeAnswer(answer.status, answer.headers, [body], answer.reason, is_forwarded=True)
    merged.took += _integer(found, body, "took") or 0
    ingest_took = _integer(found, body, "ingest_took")
    if ingest_took is not None:
        merged.ingest_took = (merged.ingest_took or 0) + ingest_took
    errors = found.get("errors")
    merged.errors |= errors is not None and errors.text(body) == b"true"
    merged.items |= {number: as_value(item, body) for number, item in zip(part.numbers, items.items, strict=False)}
    merged.headers += [header for header in answer.headers if header not in merged.headers]
    return None


def _request(request: NativeRequest, body: bytes) -> RawRequest:
    return request.without_parameters(_OWN_PARAMETERS).without_headers(MERGED_WITHOUT).with_body(body)


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
    body = b"".join(answer.body)
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


def _answer(request: NativeRequest, merged: _Merged) -> NativeAnswer:
    value: dict[str, Value] = {"took": b"%d" % merged.took}
    if merged.ingest_took is not None:
        value["ingest_took"] = b"%d" % merged.ingest_took
    value["errors"] = b"true" if merged.errors else b"false"
    value["items"] = [merged.items[number] for number in sorted(merged.items)]
    shown: Value = value
    filter_path = request.parameters.get("filter_path")
    if filter_path:
        shown = FilterPath.parse(filter_path).apply(value)
    body = write(shown, pretty=request.parameters.get("pretty", "false") in {"", "true"})
    return NativeAnswer(200, _headers(merged, len(body)), [body])


def _headers(merged: _Merged, size: int) -> list[Header]:
    kept = [(name, value) for name, value in merged.headers if not name.lower().startswith("content-")]
    return [("content-type", JSON_TYPE), ("content-length", str(size)), *kept]


def _integer(node: Object, body: bytes, key: str) -> int | None:
    found = node.get(key)
    return None if found is None else int(found.text(body))
