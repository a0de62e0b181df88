"""Filters of both kinds: a query that can be sent, or the one documented error; never much more than was given."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from sidecar.errors import InvalidArgument
from sidecar.searching.any_filter import filter_query, refused_filter

TYPES = {
    "color": "text",
    "shade": "keyword",
    "n": "long",
    "u": "unsigned_long",
    "f": "half_float",
    "ok": "boolean",
    "d": "date",
    "combo.sub": "text",
    "place": "geo_point",
}
SEEDS = [
    b"color:red AND (n:[1 TO 10} OR NOT shade:/a(b|c){2,3}/)",
    b'color:"dark red"~2 OR f:>=1e9^2 -ok:true',
    rb"d:[2020-01 TO now-1d/d] && combo.sub:a\:b* || _id:(x y z)",
    b"color:reb~0.5 !n:<-5 _exists_:place *:*",
    b"u:18446744073709551615 f:65520 d:2020-01-01T00:00:00,5+01:00",
    b'color:/<1-100>[^a-z]~(x@)#"q"/',
    b'{"bool":{"must":[{"term":{"color":"red"}}],"must_not":{"nested":{"path":"a","query":{"match_all":{}}}}}}',
    b'{"constant_score":{"filter":{"terms":{"n":[1,2]}},"boost":2}}',
    b'{"terms_set":{"color":{"terms":["a"],"minimum_should_match_field":"n"}}}',
]
_TOLD = re.compile(r"filter: column (\d+): ")
_DEEPEST = 400
"""Lists and objects within one another: eight for each level that a filter may have."""


def check(data: bytes) -> None:
    """Read one filter, a string or a query."""
    given = _query(data)
    if given is None:
        given = data.decode("utf-8", "replace")
    try:
        query = filter_query(given, TYPES)
    except InvalidArgument as error:
        _check_told(given, error.message)
        return
    text = json.dumps(query, allow_nan=False)
    if isinstance(given, str):
        # Each character can at most make a condition of its own.
        assert len(text) <= 200 * len(given) + 200, f"{len(given)} characters make {len(text)}"
        assert _depth(query) <= _DEEPEST
    else:
        assert query == given
    assert refused_filter(given, "so").message


def _query(data: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(data)
        json.dumps(found, allow_nan=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _check_told(given: str | dict[str, Any], message: str) -> None:
    message.encode()
    if isinstance(given, str) and not re.match(r"filter: [\d,]+ conditions", message):
        found = _TOLD.match(message)
        assert found, message
        assert 1 <= int(found[1]) <= len(given) + 1, message


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        deepest = max(deepest, depth)
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(each, depth + 1) for each in inner]
    return deepest
