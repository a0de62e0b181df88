"""Requests of one search each: `_search`, and what takes the same queries to count, explain or delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from sidecar.native.addressing import sent_to
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.forwarding import forward, send
from sidecar.native.hybrid.search import hybrid_search
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import NotJson
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.grammar import HYBRID, QUERY_ONLY, SEARCH, is_hybrid
from sidecar.native.queries.incoming import Incoming, find_in, read_incoming
from sidecar.native.queries.notes import note_search
from sidecar.native.queries.repeating import answered, answered_as_it_came
from sidecar.native.queries.scope import Scopes, without_own_processors
from sidecar.native.request import NativeAnswer, NativeRequest

_INDEX: Final = "index"


def search(call: NativeCall) -> NativeAnswer:
    """`_search`, of indexes in the path, of all, or of a point in time in the body; a scroll's first request too."""
    incoming = read_incoming(call)
    if incoming is not None:
        return answer_search(incoming)
    if call.request.has_body:
        return forward(call.parts, call.request)
    return answered_as_it_came(call, call.variables.get(_INDEX, ""), lambda: forward(call.parts, call.request))


def asynchronous_search(call: NativeCall) -> NativeAnswer:
    """`_plugins/_asynchronous_search`, whose indexes are a parameter."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    return _answer(incoming, SEARCH, call.request.parameters.get(_INDEX, ""), send_to=_with_index)


def query_only(call: NativeCall) -> NativeAnswer:
    """A request whose body has one query, under ``query``: `_count`, `_validate/query`, `_explain`,
    `_delete_by_query`."""
    incoming = read_incoming(call)
    if incoming is None:
        return forward(call.parts, call.request)
    return _answer(incoming, QUERY_ONLY, call.variables.get(_INDEX, ""))


def answer_search(incoming: Incoming) -> NativeAnswer:
    """The answer to a search whose body was read."""
    return _answer(incoming, SEARCH, incoming.call.variables.get(_INDEX, ""), is_search=True)


def rewrite_query_of(call: NativeCall, text: bytes, place: str, expression: str) -> bytes:
    """A body of a place of the grammar with its queries rewritten to the indexes of an expression; the very same where
    it has none by meaning, or one that is not served.

    Raises: Refused for what the client must change; ModelLoadError and its like.
    """
    found = find_in(text, place)
    if found is None:
        return text
    root, clauses = found
    try:
        return apply(text, Scopes(call).of(root, text, expression=expression).rewriter.edits_of(clauses, text))
    except (NotServed, NotJson):
        return text


_SendTo = Callable[[NativeRequest, str], NativeRequest]
"""Gives a request another index expression."""


def _answer(
    incoming: Incoming, place: str, expression: str, *, is_search: bool = False, send_to: _SendTo = sent_to
) -> NativeAnswer:
    """``is_search`` is said of `_search`: the query may be hybrid, and what passes as it is may be sent twice."""
    text = incoming.text
    found = find_in(text, place)
    note_search(incoming.call, text, None if found is None else found[0], expression)

    def as_it_came() -> NativeAnswer:
        pass_on = incoming.as_it_came
        return answered_as_it_came(incoming.call, expression, pass_on) if is_search else pass_on()

    if found is None:
        return as_it_came()
    root, clauses = found

    def attempt(scopes: Scopes) -> NativeAnswer:
        scope = scopes.of(root, text, expression=expression)
        call = scopes.call
        if scope.address is not None:
            call = replace(call, request=send_to(call.request, scope.address))
        if is_hybrid(root):
            scope.rewriter.check_served(clauses, text)
            if not is_search:
                raise Refused(ILLEGAL_ARGUMENT, f"[{HYBRID}] query is served by [_search] and [_msearch] only")
            return hybrid_search(call, incoming.body, root, scope.rewriter, scope.pipeline)
        edits = [*scope.rewriter.edits_of(clauses, text), *without_own_processors(root, text)]
        return send(call.parts, call.request.with_body(apply(text, edits)))

    try:
        return answered(incoming.call, attempt)
    except (NotServed, NotJson):
        return as_it_came()


def _with_index(request: NativeRequest, expression: str) -> NativeRequest:
    """The request whose parameter names another index expression."""
    bare = request.without_parameters({_INDEX})
    mark = "&" if "?" in bare.target else "?"
    return replace(bare, target=f"{bare.target}{mark}{urlencode({_INDEX: expression})}")
