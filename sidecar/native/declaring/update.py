"""Mappings of indexes that are there: what they declare joins what is declared, which no update loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sidecar.native.declarations.facts import index_facts
from sidecar.native.declaring.bodies import DeclaringBody
from sidecar.native.declaring.merging import check_origins, merge_own
from sidecar.native.declaring.translation import DeclaredMapping, property_edits
from sidecar.native.errors import json_answer
from sidecar.native.forwarding import send
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Node, NotJson, Object
from sidecar.native.parts import NativeCall
from sidecar.native.reading import REFUSED
from sidecar.native.request import NativeAnswer
from sidecar.native.targets import expression_parts
from sidecar.native.write_targets import chosen_index

_LONGEST_NAMES = 3000
"""Bytes of index names in one request line, of which OpenSearch takes 4,096."""


def put_mapping(call: NativeCall) -> NativeAnswer:
    """`PUT /{index}/_mapping`. Raises: Refused for a declaration that can't be served; no mapping is changed then."""
    body = DeclaringBody(call)
    if body.root is None:
        return body.send_as_it_came()
    try:
        found = DeclaredMapping.read(body.root, body.text, call.parts.embedder)
        # Without `_meta` the index keeps its own.
        if found.places.meta is None and not found.semantic.fields:
            return body.send_as_it_came()
        with call.parts.metadata.changing:
            return _put(call, body, body.root, found)
    except NotJson:
        # Nothing was sent by then.
        return body.send_as_it_came()


def _put(call: NativeCall, body: DeclaringBody, root: Object, found: DeclaredMapping) -> NativeAnswer:
    stored: dict[str, Any] = {}
    for status, answer, part in _read(call):
        if status in REFUSED and (found.needs_knn or found.withdrawn):
            # The index's own declarations would be lost.
            return json_answer(status, answer)
        if status != 200:
            return body.send_as_it_came()
        stored |= _written(call, part, Node(0, len(answer)).value(answer))
    edits_of = {name: _edits(call, body, root, found, (name, facts)) for name, facts in stored.items()}
    groups: dict[tuple[Edit, ...], list[str]] = {}
    for name, edits in edits_of.items():
        groups.setdefault(tuple(edits), []).append(name)
    if len(groups) <= 1:
        return body.send_with(next(iter(groups), ()))
    return _send_each(call, body.text, groups)


def _edits(
    call: NativeCall, body: DeclaringBody, root: Object, found: DeclaredMapping, index: tuple[str, Mapping[str, Any]]
) -> list[Edit]:
    """What is to be changed in the body for one index. Raises: Refused."""
    name, facts = index
    stored = facts.get("mappings", {})
    check_origins(found, name, stored, call.parts.embedder)
    edits, additions = property_edits(found, root, body.text, stored)
    edits += merge_own(found, root, body.text, stored, additions)
    return [*edits, *additions.edits()]


def _read(call: NativeCall) -> Iterator[tuple[int, bytes, str]]:
    """The cluster's answers of now: what indexes there are, and their mappings, by the parts of the expression."""
    expression = call.variables["index"]
    # As the request itself resolves patterns.
    parameters = {"expand_wildcards": "open,closed", "allow_no_indices": "false", **call.request.parameters}
    for part in expression_parts(expression) if _is_for_write_index(call) else [expression]:
        status, answer = call.parts.metadata.read(part, call.request, parameters=parameters)
        yield status, answer, part


def _written(call: NativeCall, name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Of the indexes behind a name those whose mapping is changed."""
    if not _is_for_write_index(call):
        return found
    chosen = chosen_index(name, [index_facts(index, facts) for index, facts in found.items()])
    return found if chosen is None else {chosen.name: found[chosen.name]}


def _is_for_write_index(call: NativeCall) -> bool:
    return call.request.parameters.get("write_index_only") in {"true", ""}


def _send_each(call: NativeCall, text: bytes, groups: Mapping[tuple[Edit, ...], Sequence[str]]) -> NativeAnswer:
    """One request for the indexes of each group; the last one's answer, or the first that is an error."""
    query = call.request.target.partition("?")[2]
    requests = [
        call.request.with_body(apply(text, edits), target=f"/{names}/_mapping{'?' if query else ''}{query}")
        for edits, group in groups.items()
        for names in _joined(group)
    ]
    for request in requests[:-1]:
        answer = call.parts.upstream.send(request)
        if answer.status >= 300:
            return NativeAnswer(answer.status, answer.headers, [answer.read()], answer.reason)
        answer.read()
    return send(call.parts, requests[-1])


def _joined(names: Iterable[str]) -> Iterator[str]:
    """The names as lists that fit into a request line."""
    pieces: list[str] = []
    for name in map(quote, names):
        if pieces and len(",".join([*pieces, name])) > _LONGEST_NAMES:
            yield ",".join(pieces)
            pieces = []
        pieces.append(name)
    yield ",".join(pieces)
