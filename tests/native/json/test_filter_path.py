"""`filter_path` against OpenSearch's own, on the same answer."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest

from sidecar.native.json.filter_path import filtered
from tests.fix_opensearch import request

_PATHS = [
    "cluster_name",
    "nodes.*.name",
    "nodes.*.roles",
    "nodes.*.os.*",
    "nodes.*.o*.na*",
    "nodes.*.plugins.name,nodes.*.plugins.version",
    "**.version",
    "nodes.**.name",
    "**",
    "*",
    "-nodes",
    "-nodes.*.plugins,-nodes.*.modules",
    "-**.name",
    "nodes.*.os,-nodes.*.os.name",
    "nodes.*.plugins,-**.version",
    "nodes.*.os,-**.os.*",
    "nothing",
    "nodes.*.plugins.nothing",
    "-nodes.*.plugins.*",
    " cluster_name , nodes.*.name",
    "nodes.*.settings.pidfile\\.x,nodes.*.version",
    "nodes",
    "nodes.*",
    "nodes.*.os.name.further",
    "-**.plugins.name",
    "-nodes.*.plugins.*",
    "-**",
    "-*",
    "**.name,-nodes.*.os",
    "-nodes.*.settings.pidfile,-**.x",
    "*od*s.*.*a*e",
    "nodes.*.na*me,nodes.*.*ugi*s.na**me",
]


@pytest.fixture(scope="module")
def whole(node: str) -> bytes:
    """An answer with objects, lists and lists of objects, the same each time."""
    return request(node, "GET", "/_nodes/plugins,os,settings")[1].encode()


@pytest.mark.parametrize("path", _PATHS)
def test_the_same_is_left_as_by_opensearch(node: str, whole: bytes, path: str) -> None:
    _, expected = request(node, "GET", f"/_nodes/plugins,os,settings?filter_path={quote(path)}")
    assert json.loads(filtered(whole, path)) == json.loads(expected)


def test_any_depth_below_any_depth_is_any_depth() -> None:
    text = b'{"a":{"b":{"c":1}},"c":2}'
    for path in ("**.c", "**.**.c", "**.**.**.c", "-**.**.c", "**.**"):
        once = path.replace("**.**.**", "**").replace("**.**", "**")
        assert filtered(text, path) == filtered(text, once)


@pytest.mark.parametrize(
    "path",
    ["**." * 1300 + "x", ",".join(["**.a"] * 900), "*a" * 40 + "b", "**.*a.**.*a.**.*a.**.*a.**.*a.**.*a.**.*a.x"],
)
def test_paths_of_many_stars_take_no_longer_than_others(path: str) -> None:
    inner: object = 1
    for _ in range(40):
        inner = {"a" * 60: [inner], "a": 2}
    began = time.process_time()
    filtered(json.dumps(inner).encode(), path)
    assert time.process_time() - began < 1.0
