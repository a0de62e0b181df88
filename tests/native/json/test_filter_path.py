"""`filter_path`, against the cluster's own."""

from __future__ import annotations

import json

import pytest

from sidecar.native.json.filter_path import filtered
from tests.fix_opensearch import request

PATHS = (
    "hits.hits._id",
    "hits.hits._source",
    "hits.hits._source.a",
    "hits.hits._source.list.x",
    "**._id",
    "**.x",
    "hits.*.*d",
    "h*.t*",
    "took,hits.total.value",
    "-took,-_shards",
    "hits,-hits.total,-took",
    "hits.hits,-hits.hits._source.list",
    "-**.x",
    "-hits.hits._source.object",
    "-hits.hits._source.object.deep",
    "hits.hits._source.dotted\\.name",
    "hits.hits._source.li*",
    "nothing.at.all",
)


@pytest.fixture(scope="module")
def answer(node: str) -> tuple[str, bytes]:
    document = {
        "a": 1,
        "list": [{"x": 1, "y": 2}, {"y": 3}, 4],
        "object": {"deep": {"x": 1}},
        "dotted.name": 5,
        "empty": {},
    }
    index = "filter-path"
    assert request(node, "PUT", f"/{index}/_doc/1?refresh=true", json.dumps(document))[0] == 201
    status, text = request(node, "GET", f"/{index}/_search")
    assert status == 200
    return f"{node}/{index}", text.encode()


@pytest.mark.parametrize("path", PATHS)
def test_what_is_left_is_what_the_cluster_leaves(node: str, answer: tuple[str, bytes], path: str) -> None:
    _, text = request(node, "GET", f"/filter-path/_search?filter_path={path}")
    expected = json.loads(text)
    found = json.loads(filtered(answer[1], path))
    for one in (expected, found):
        one.pop("took", None)
    assert found == expected


def test_values_keep_their_bytes() -> None:
    data = b'{"a":{"n":1e3,"\\u0062":12345678901234567890123},"c":[{"n":1.50},[ ]]}'
    assert filtered(data, "a.b,c.n") == b'{"a":{"\\u0062":12345678901234567890123},"c":[{"n":1.50}]}'
