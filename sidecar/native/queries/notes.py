"""What the log of slow requests may tell of searches: where, how and how many, never for what."""

from __future__ import annotations

from sidecar.native.json.spans import Object
from sidecar.native.parts import NativeCall
from sidecar.native.queries.grammar import is_hybrid
from sidecar.observation.kinds import QueryNote
from sidecar.observation.request import tell
from sidecar.whole_numbers import whole_number

_FILTERS = (b'"filter"', b'"post_filter"')
ALL = "_all"


def note_search(call: NativeCall, text: bytes, root: Object | None, expression: str) -> None:
    """Note one search; ``root`` is its body where it has queries by meaning, else it passes as it is."""
    method = "forwarded" if root is None else "hybrid" if is_hybrid(root) else "neural"
    has_filter = any(name in text for name in _FILTERS)
    tell(QueryNote(expression or ALL, method, _size(call, text, root), has_filter))


def note_searches(call: NativeCall, text: bytes, count: int) -> None:
    """Note the searches of one request."""
    has_filter = any(name in text for name in _FILTERS)
    tell(QueryNote(call.variables.get("index") or ALL, has_filter=has_filter, queries=count))


def _size(call: NativeCall, text: bytes, root: Object | None) -> int | None:
    node = None if root is None else root.get("size")
    given = call.request.parameters.get("size", "") if node is None else node.text(text).decode("latin-1")
    return whole_number(given, most_digits=9)
