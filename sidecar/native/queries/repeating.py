"""Searches that are made again, for what they were made for is gone: a name led elsewhere in the middle of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from sidecar.native.addressing import own_names
from sidecar.native.parts import NativeCall
from sidecar.native.queries.scope import Scopes, comes_true
from sidecar.native.request import NativeAnswer
from sidecar.native.whole_answers import close, decoded, whole
from sidecar.opensearch.error_answers import SEARCH_FAILED

_MISSING: Final = b'"type":"index_not_found_exception"'
_MOST_ATTEMPTS: Final = 4
_GONE: Final = frozenset({404, 503})
"""Statuses of a search whose index is deleted meanwhile: before its second phase, or before its first."""


def answered(call: NativeCall, attempt: Callable[[Scopes], NativeAnswer]) -> NativeAnswer:
    """The answer to an attempt that was made, from first to last, on what names stand for.

    Made again where that has changed meanwhile, or where an alias was taken for an index that is gone. Raises what the
    attempt raises.
    """
    for _ in range(_MOST_ATTEMPTS - 1):
        scopes = Scopes(call)
        answer = _read_where_failed(attempt(scopes))
        is_gone = scopes.have_address and _is_of_missing_index(answer)
        if scopes.are_current() and not is_gone and not (_has_lost_shards(answer) and scopes.are_moving()):
            return answer
        close(answer)
        call.parts.metadata.forget()
    return attempt(Scopes(call))


def answered_as_it_came(call: NativeCall, expression: str, send: Callable[[], NativeAnswer]) -> NativeAnswer:
    """The answer to a search that passes as it is, of the indexes of an expression; ``send`` sends it.

    Sent a second time where it lost its shards, and no index has a name of the expression, so that they may be those of
    another by now. Raises what ``send`` raises.
    """
    answer = _read_where_failed(send())
    if not (expression and _has_lost_shards(answer) and comes_true(call, lambda: _names_aliases(call, expression))):
        return answer
    close(answer)
    return send()


def _names_aliases(call: NativeCall, expression: str) -> bool:
    """True where there are indexes behind an expression, by names that are not their own."""
    facts = call.parts.metadata.of(expression, call.request)
    return bool(facts) and not own_names(expression, facts or ())


def _read_where_failed(answer: NativeAnswer) -> NativeAnswer:
    return whole(answer) if answer.status in _GONE else answer


def _is_of_missing_index(answer: NativeAnswer) -> bool:
    """True where the whole, or a line of several that was read already, failed for want of an index."""
    return answer.status == 404 or (isinstance(answer.body, list) and _MISSING in decoded(answer))


def _has_lost_shards(answer: NativeAnswer) -> bool:
    """True where a search, or a line of several that were read already, failed since its index's shards were gone."""
    if not isinstance(answer.body, list) or SEARCH_FAILED.encode() not in (text := decoded(answer)):
        return False
    if answer.status in _GONE:
        return True
    try:
        lines = orjson.loads(text)["responses"]
        return any(line.get("status") in _GONE and line["error"]["type"] == SEARCH_FAILED for line in lines)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        # The answer to another kind of request, or to one that wanted only parts of it.
        return False
