"""Searches by template: what a template gives is asked of the cluster, and then searched for as any other body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.native.forwarding import forward
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Array, Member, Node, NotJson, Object, read
from sidecar.native.parts import NativeCall
from sidecar.native.queries.incoming import Incoming, may_have_clauses, read_incoming
from sidecar.native.queries.multi_search import SearchLine, answer_multi_search, read_lines
from sidecar.native.queries.search import answer_search
from sidecar.native.request import NativeAnswer
from sidecar.opensearch.passthrough import RawRequest

_RENDER: Final = "/_render/template"
_RENDERED: Final = ("source", "inline", "template", "id", "params")
_FLAGS: Final = ("explain", "profile")
_TEMPLATE: Final = "/template"


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What a template gave: a search's body, or the error that the cluster answered with in place of one."""

    text: bytes
    is_error: bool = False


def search_template(call: NativeCall) -> NativeAnswer:
    """`_search/template`: rendered where the template has a query by meaning, or is a stored one that may."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    rendered = _render(incoming, 0, len(incoming.text))
    if rendered is None or rendered.is_error or not may_have_clauses(rendered.text):
        return incoming.as_it_came()
    return _searched(incoming, rendered)


def multi_search_template(call: NativeCall) -> NativeAnswer:
    """`_msearch/template`: where one of its templates has a query by meaning, all are rendered."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    lines = list(read_lines(incoming.text))
    rendered = [_render(incoming, line.body, line.end) for line in lines]
    if None in rendered or not any(one is not None and may_have_clauses(one.text) for one in rendered):
        return incoming.as_it_came()
    return _multi_searched(incoming, lines, [one for one in rendered if one is not None])


def _searched(incoming: Incoming, rendered: _Rendered) -> NativeAnswer:
    plain = incoming.as_body()
    return answer_search(plain.at(_without_template(plain.call.request.target)).with_body(rendered.text, incoming))


def _multi_searched(incoming: Incoming, lines: Sequence[SearchLine], rendered: Sequence[_Rendered]) -> NativeAnswer:
    edits = [
        Edit(line.body, line.end, (b"{}" if one.is_error else one.text) + b"\n")
        for line, one in zip(lines, rendered, strict=True)
    ]
    errors = {number: one.text for number, one in enumerate(rendered) if one.is_error}
    plain = incoming.as_body()
    target = _without_template(plain.call.request.target)
    return answer_multi_search(plain.at(target).with_body(apply(incoming.text, edits), incoming), errors)
