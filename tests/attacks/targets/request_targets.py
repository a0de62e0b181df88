"""Targets of requests and what they decode to: nothing is decoded twice, and nothing odd is looked into."""

from __future__ import annotations

import re
from io import BytesIO

from sidecar.native.raw_target import decoded, is_plain, read_parameters, without_parameters
from sidecar.native.registry import ROUTES
from sidecar.native.request import NativeRequest
from sidecar.native.routes import Router, path_segments
from sidecar.native.targets import expression_parts, has_remote, index_target, is_clusters_own, is_one_name, local_part

SEEDS = [
    b"PUT /i%2Fj/_doc/a%2Fb+c%20%25?refresh=true&routing=%C3%A9",
    b"POST /<logs-{now/d{HH:mm,ss}}>,other:x*,-y/_search?q=%252F;source=+&=x",
    b"GET //_search/template/",
    b"POST /%2Ekibana/_bulk",
    b"PUT /../_bulk#x",
    b"PUT /%ff%00/_bulk?%zz",
    b"POST /_ingest/pipeline/.x",
    b"GET http://h/_search",
]
_NAMES = frozenset({"a", "source", "q"})
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_ROUTER = Router(ROUTES)


def check(data: bytes) -> None:
    """Read one request line's method and target."""
    method, _, target = data.decode("latin-1").partition(" ")
    parameters = read_parameters(target)
    for name, value in parameters.items():
        (name + value).encode()
    left = without_parameters(target, _NAMES)
    assert read_parameters(left) == {name: value for name, value in parameters.items() if name not in _NAMES}
    assert left.partition("?")[0] == target.partition("?")[0]
    found = _ROUTER.find(NativeRequest(method, target, (), BytesIO(), 0))
    segments = path_segments(target.partition("?")[0])
    for segment in segments or ():
        _check_segment(segment)
    if found is not None:
        route, variables = found
        assert is_plain(target)
        assert segments is not None
        assert len(segments) == len(route.segments)
        assert not is_clusters_own(variables.get("index", ""))
        _check_expression(variables.get("index", ""))


def _check_segment(segment: str) -> None:
    expected = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), segment.encode("latin-1"))
    try:
        assert decoded(segment).encode() == expected
    except UnicodeDecodeError:
        assert expected.decode("utf-8", "replace").encode() != expected


def _check_expression(expression: str) -> None:
    parts = expression_parts(expression)
    assert "".join(parts) == expression.replace(",", "") or "<" in expression or "{" in expression
    assert has_remote(expression) == (local_part(expression) != ",".join(parts))
    assert is_one_name(expression) in {True, False}
    index_target(expression).encode("ascii")
