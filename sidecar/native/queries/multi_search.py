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
from sidecar.native.hybrid.lines import plan_line
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.plan import HybridPlan
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import NotJson
from sidecar.native.json.writing import json_text
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.grammar import SEARCH, is_hybrid
from sidecar.native.queries.incoming import Incoming, find_in, may_have_clauses, read_incoming
from sidecar.native.queries.merging import Response, merged_answer
from sidecar.native.queries.notes import note_searches
from sidecar.native.queries.repeating import answered
from sidecar.native.queries.rewriter import RewritePlan
from sidecar.native.queries.scope import Scopes, without_own_processors
from sidecar.native.request import NativeAnswer
from sidecar.native.targets import INDEX_OPTIONS
from sidecar.native.whole_answers import whole

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
class _Neural:
    """A line whose queries by meaning are read: what is to be embedded for it, and what else changes in it."""

    plan: RewritePlan
    others: list[Edit]


@dataclass(frozen=True, slots=True)
class _Hybrid:
    """A line that becomes several, each behind ``header``."""

    plan: HybridPlan
    header: bytes


_Planned = _Neural | _Hybrid | bytes | None
"""What is to be done with a line: the response itself where it is bytes, nothing where it passes as it is."""


def multi_search(call: NativeCall) -> NativeAnswer:
    """`_msearch`: lines with queries by meaning are rewritten, all others pass as they are."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    try:
        return answer_multi_search(incoming)
    except (NotServed, NotJson):
        # The cluster refuses the whole for one query that it does not know.
        return incoming.as_it_came()


def answer_multi_search(incoming: Incoming, given: Mapping[int, bytes] | None = None) -> NativeAnswer:
    """The answer to an `_msearch` whose body was read. ``given`` has responses of lines, by their numbers, that are
    known already: these lines are not sent.

    An error of one line is that line's response. Raises: NotServed, or NotJson for text that is no UTF-8, where the
    request is the cluster's as it came; what makes the whole fail, as a model that is down.
    """
    note_searches(incoming.call, incoming.text, sum(1 for _ in read_lines(incoming.text)))
    if not given and not may_have_clauses(incoming.text):
        return incoming.as_it_came()
    return answered(incoming.call, lambda scopes: _attempt(incoming, given or {}, scopes))


def _attempt(incoming: Incoming, given: Mapping[int, bytes], scopes: Scopes) -> NativeAnswer:
    text = incoming.text
    lines = list(read_lines(text))
    planned = [given.get(number) or _planned(incoming, line, scopes) for number, line in enumerate(lines)]
    edits: list[Edit] = []
    responses: list[Response] = []
    for line, one, vectors in zip(lines, planned, _embedded_together(incoming.call, planned), strict=True):
        response, own_edits = _line(incoming, line, one, vectors)
        responses.append(response)
        edits += own_edits
    if not edits:
        return incoming.as_it_came()
    changed = apply(text, edits)
    if not any(responses):
        answer = send(incoming.call.parts, incoming.with_text(changed))
        # So that it can be seen whether an index is gone.
        return whole(answer)
    return merged_answer(incoming, changed, responses)


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


def _planned(incoming: Incoming, line: SearchLine, scopes: Scopes) -> _Planned:
    """What is to be done with a line. Raises: NotServed; NotJson for text that is no UTF-8."""
    text = incoming.text
    found = find_in(text, SEARCH, line.body, line.end)
    header = _read_header(line.header(text)) if found is not None else None
    if found is None or header is None:
        return None
    root, clauses = found
    call = incoming.call
    expression = _expression(header) or call.variables.get("index", "")
    try:
        scope = scopes.of(root, text, expression=expression, options=_options(header, call))
        sent = text[line.start : line.body] if scope.address is None else _addressed(header, scope.address)
        if not is_hybrid(root):
            others = [] if scope.address is None else [Edit(line.start, line.body, sent)]
            return _Neural(scope.rewriter.plan(clauses, text), [*others, *without_own_processors(root, text)])
        scope.rewriter.check_served(clauses, text)
        search_type = header.get("search_type", call.request.parameters.get("search_type"))
        parameters = SearchParameters(search_type=search_type)
        return _Hybrid(plan_line(text, root, scope.rewriter, scope.pipeline, parameters=parameters), sent)
    except InvalidRequest as error:
        return _response(error)


def _line(
    incoming: Incoming, line: SearchLine, planned: _Planned, vectors: Sequence[Embeddings] | None
) -> tuple[Response, list[Edit]]:
    """How a line's response comes about, and the changes of its text."""
    if isinstance(planned, bytes):
        return planned, [Edit(line.start, line.end, b"")]
    if isinstance(planned, _Hybrid):
        bodies = b"".join(planned.header + body + b"\n" for body in planned.plan.bodies)
        return planned.plan, [Edit(line.start, line.end, bodies)]
    if planned is None:
        return None, []
    try:
        embedded = incoming.call.parts.embedder.embed_queries(planned.plan.contents) if vectors is None else vectors
        return None, [*planned.plan.edits(embedded), *planned.others]
    except InvalidRequest as error:
        return _response(error), [Edit(line.start, line.end, b"")]


def _embedded_together(call: NativeCall, planned: Sequence[_Planned]) -> Sequence[Sequence[Embeddings] | None]:
    """The vectors of each line, embedded as one batch; None for all where the content of one is at fault."""
    contents = [one.plan.contents if isinstance(one, _Neural) else [] for one in planned]
    try:
        vectors = iter(call.parts.embedder.embed_queries([content for own in contents for content in own]))
    except InvalidRequest as error:
        _response(error)
        return [None] * len(planned)
    return [[next(vectors) for _ in own] for own in contents]


def _response(error: InvalidRequest) -> bytes:
    """An error as the response of one line. Raises the error itself where it is not for the client to mend: a model
    that is down, or too much to do."""
    if native_status(error) != 400:
        raise error
    return json_text(error_body(error))


def _addressed(header: Mapping[str, Any], expression: str) -> bytes:
    """The header, with its line break, of a search of these indexes."""
    kept = {key: value for key, value in header.items() if key not in _INDEX_KEYS}
    return orjson.dumps({"index": expression.split(","), **kept}, option=orjson.OPT_APPEND_NEWLINE)


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
