"""Several searches in one request: `_msearch`, whose lines are each rewritten to its own indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidRequest
from sidecar.native.errors import error_body, native_status
from sidecar.native.forwarding import forward, send
from sidecar.native.hybrid.search import HybridLine, hybrid_lines
from sidecar.native.json.edits import Edit, apply
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.grammar import SEARCH
from sidecar.native.queries.incoming import Incoming, find_in, may_have_clauses, read_incoming
from sidecar.native.queries.merging import merged_answer
from sidecar.native.queries.rewriter import RewritePlan
from sidecar.native.queries.scope import rewriter_of, without_own_processors
from sidecar.native.queries.search import has_hybrid_on_top
from sidecar.native.request import NativeAnswer
from sidecar.native.targets import INDEX_OPTIONS

_INDEX_KEYS: Final = ("index", "indices")


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One search of several, by its places in the text: its header's and its body's start, and its end, behind the
    line break."""

    start: int
    body: int
    end: int

    def header(self, text: bytes) -> bytes:
        """The line that says where to search, and how; it may be empty."""
        return text[self.start : self.body - 1].strip()


@dataclass(frozen=True, slots=True)
class _Plain:
    """What becomes of a line that is rewritten."""

    plan: RewritePlan
    others: list[Edit]


def multi_search(call: NativeCall) -> NativeAnswer:
    """`_msearch`: lines with queries by meaning are rewritten, all others pass as they are."""
    incoming = read_incoming(call)
    return forward(call.parts, call.request) if incoming is None else answer_multi_search(incoming)


def answer_multi_search(incoming: Incoming, given: Mapping[int, bytes] | None = None) -> NativeAnswer:
    """The answer to an `_msearch` whose body was read. ``given`` has responses of lines, by their numbers, that are
    known already: these lines are not sent.

    An error of one line is that line's response. Raises: what makes the whole fail, as a model that is down.
    """
    text = incoming.text
    lines = list(read_lines(text)) if given or may_have_clauses(text) else []
    own: dict[int, bytes] = dict(given or {})
    plans: dict[int, _Plain] = {}
    hybrid: dict[int, HybridLine] = {}
    for number, line in enumerate(lines):
        if number in own:
            continue
        try:
            planned = _planned(incoming, line)
        except InvalidRequest as error:
            own[number] = _response(error)
            continue
        if isinstance(planned, _Plain):
            plans[number] = planned
        elif planned is not None:
            hybrid[number] = planned
    edits, refused = _rewritten(incoming.call, plans)
    own |= refused | _hybrid_responses(incoming.call, hybrid)
    if not own and not edits:
        return incoming.as_it_came()
    edits = [edit for edit in edits if not any(lines[number].start <= edit.start < lines[number].end for number in own)]
    edits += [Edit(lines[number].start, lines[number].end, b"") for number in own]
    changed = apply(text, edits)
    if not own:
        return send(incoming.call.parts, incoming.with_text(changed))
    return merged_answer(incoming, changed if len(own) < len(lines) else None, own, len(lines))


def read_lines(text: bytes) -> Iterator[SearchLine]:
    """The searches of an `_msearch`'s body; none where it does not end as it must. What is behind the last whole search
    counts for nothing."""
    if not text.endswith(b"\n"):
        return
    # The cluster takes an empty first line for no header.
    place = 1 if text.startswith(b"\n") else 0
    while (header_end := text.find(b"\n", place)) != -1 and (end := text.find(b"\n", header_end + 1)) != -1:
        yield SearchLine(place, header_end + 1, end + 1)
        place = end + 1


def _planned(incoming: Incoming, line: SearchLine) -> _Plain | HybridLine | None:
    """What to do with a line; None where it passes as it is. Raises: Refused and its like."""
    text = incoming.text
    found = find_in(text, SEARCH, line.body, line.end)
    header = _read_header(line.header(text)) if found is not None else None
    if found is None or header is None:
        return None
    root, clauses = found
    call = incoming.call
    expression = _expression(header) or call.variables.get("index", "")
    try:
        rewriter, pipeline = rewriter_of(call, root, text, expression=expression, options=_options(header, call))
        if has_hybrid_on_top(root):
            rewriter.check_served(clauses, text)
            return HybridLine(line.header(text), text, root, rewriter, pipeline)
        return _Plain(rewriter.plan(clauses, text), without_own_processors(root, text))
    except NotServed:
        return None


def _read_header(text: bytes) -> Mapping[str, Any] | None:
    try:
        header = orjson.loads(text or b"{}")
    except orjson.JSONDecodeError:
        return None
    return header if isinstance(header, dict) else None


def _expression(header: Mapping[str, Any]) -> str:
    given = next((header[key] for key in _INDEX_KEYS if key in header), None)
    return ",".join(map(str, given)) if isinstance(given, list) else str(given or "")


def _options(header: Mapping[str, Any], call: NativeCall) -> Mapping[str, str]:
    """The request's parameters, and over them what the header says of patterns and missing names."""
    own = {key: header[key] for key in INDEX_OPTIONS if key in header}
    told = {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in own.items()}
    return {**call.request.parameters, **{key: value.lower() for key, value in told.items()}}


def _rewritten(call: NativeCall, plans: Mapping[int, _Plain]) -> tuple[list[Edit], dict[int, bytes]]:
    """The edits of all lines, and the responses of those that can't be embedded. Raises: what makes the whole fail."""
    edits: list[Edit] = []
    refused: dict[int, bytes] = {}
    vectors = _embedded_together(call, list(plans.values()))
    for (number, plain), own in zip(plans.items(), vectors, strict=True):
        try:
            embedded = call.parts.embedder.embed_queries(plain.plan.contents) if own is None else own
            edits += [*plain.plan.edits(embedded), *plain.others]
        except InvalidRequest as error:
            refused[number] = _response(error)
    return edits, refused


def _embedded_together(call: NativeCall, plans: Sequence[_Plain]) -> Sequence[Sequence[Embeddings] | None]:
    """The vectors of each line, embedded as one batch; None for all where one line's content is at fault."""
    contents = [content for plain in plans for content in plain.plan.contents]
    try:
        vectors = iter(call.parts.embedder.embed_queries(contents))
    except InvalidRequest as error:
        _response(error)
        return [None] * len(plans)
    return [[next(vectors) for _ in plain.plan.contents] for plain in plans]


def _hybrid_responses(call: NativeCall, lines: Mapping[int, HybridLine]) -> dict[int, bytes]:
    answers = hybrid_lines(call, list(lines.values())) if lines else []
    return {
        number: _response(answer) if isinstance(answer, InvalidRequest) else answer
        for number, answer in zip(lines, answers, strict=True)
    }


def _response(error: InvalidRequest) -> bytes:
    """An error as the response of one line. Raises the error itself where it is not for the client to mend: a model
    that is down, or too much to do."""
    if native_status(error) != 400:
        raise error
    return orjson.dumps(error_body(error))
