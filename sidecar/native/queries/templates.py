"""Searches by template: what a template gives is asked of the cluster, and then searched for as any other body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sidecar.native.forwarding import forward
from sidecar.native.json.additions import member_text
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out, on_one_line
from sidecar.native.json.spans import NotJson, read_object
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.incoming import Incoming, may_have_clauses, read_incoming
from sidecar.native.queries.multi_search import answer_multi_search, read_lines
from sidecar.native.queries.search import answer_search
from sidecar.native.request import NativeAnswer
from sidecar.opensearch.passthrough import RawRequest

_RENDER: Final = "/_render/template"
_OUTPUT: Final = "template_output"
_STORED: Final = b'"id"'
_FLAGS: Final = ("explain", "profile")
"""Keys of a template's request that are keys of the search; all others are about the template."""
_STATUS: Final = b'{"status":200}'
_LEFT_OUT: Final = frozenset({"accept", "accept-encoding", "content-encoding", "content-type"})
"""Headers that are about another body and another answer than a rendered template's."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What a template gave: a search's body, or the error that the cluster answered with in place of one."""

    text: bytes
    is_error: bool = False


def search_template(call: NativeCall) -> NativeAnswer:
    """`_search/template`: rendered where the template has a query by meaning, or is a stored one, which may have."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    if not _may_give_clauses(incoming.text):
        return incoming.as_it_came()
    rendered = _render(incoming, incoming.text)
    if rendered.is_error or not may_have_clauses(rendered.text):
        return incoming.as_it_came()
    return _with_status(answer_search(_as_search(incoming, rendered.text)), call)


def _with_status(answer: NativeAnswer, call: NativeCall) -> NativeAnswer:
    """The answer to a search as the one to a template's search, which ends with its status."""
    wanted = call.request.parameters.get("filter_path")
    is_json = any(name.lower() == "content-type" and "json" in value for name, value in answer.headers)
    if answer.status != 200 or not is_json or (wanted and filtered(_STATUS, wanted) != _STATUS):
        return answer
    body = b"".join(answer.body)
    close = getattr(answer.body, "close", None)
    if close is not None:
        close()
    end = body.rfind(b"}")
    text = body[:end].rstrip() + b"," + _STATUS[1:]
    if call.request.is_pretty:
        text = laid_out(text)
    headers = [header for header in answer.headers if header[0].lower() != "content-length"]
    return NativeAnswer(200, [*headers, ("content-length", str(len(text)))], [text], answer.reason)


def multi_search_template(call: NativeCall) -> NativeAnswer:
    """`_msearch/template`: where one of its templates has a query by meaning, all are rendered."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    text = incoming.text
    lines = list(read_lines(text))
    if not any(_may_give_clauses(text[line.body : line.end]) for line in lines):
        return incoming.as_it_came()
    rendered = [_render(incoming, text[line.body : line.end]) for line in lines]
    if not any(not one.is_error and may_have_clauses(one.text) for one in rendered):
        return incoming.as_it_came()
    errors = {number: one.text for number, one in enumerate(rendered) if one.is_error}
    edits = [
        Edit(line.body, line.end, (b"{}" if one.is_error else on_one_line(one.text)) + b"\n")
        for line, one in zip(lines, rendered, strict=True)
    ]
    try:
        return answer_multi_search(_as_search(incoming, apply(text, edits)), errors)
    except (NotServed, NotJson):
        return incoming.as_it_came()


def _may_give_clauses(text: bytes) -> bool:
    return may_have_clauses(text) or _STORED in text


def _render(incoming: Incoming, text: bytes) -> _Rendered:
    """What the cluster makes of a template, asked as the caller."""
    call = incoming.call
    headers = [header for header in call.request.headers if header[0] not in _LEFT_OUT]
    request = RawRequest("POST", _RENDER, [*headers, ("content-type", "application/json")], text)
    answer = call.parts.upstream.send(request)
    body = answer.read()
    if answer.status != 200:
        return _Rendered(body, is_error=True)
    root = read_object(body)
    output = None if root is None else root.get(_OUTPUT)
    return _Rendered(b"{}" if output is None else _with_flags(output.text(body), text))


def _with_flags(search: bytes, template: bytes) -> bytes:
    """A search's body with what the template's request has for the search itself."""
    given = read_object(template)
    flags = [
        member_text(key, node.text(template))
        for key in _FLAGS
        if given is not None and (node := given.get(key)) is not None
    ]
    rest = search.strip()[1:]
    if not flags:
        return search
    return b"{" + b",".join(flags) + (b"" if rest.lstrip().startswith(b"}") else b",") + rest


def _as_search(incoming: Incoming, text: bytes) -> Incoming:
    """The request that searches for what templates gave."""
    path, mark, query = incoming.call.request.target.partition("?")
    plain = incoming.instead(path.rstrip("/").removesuffix("/template") + mark + query, text)
    # Answers are put together, so they must not be compressed.
    return plain.without_headers({"accept-encoding"})
