"""Which requests make the sidecar look again at what the cluster has."""

from __future__ import annotations

import io

import pytest

from sidecar.native.changes import changes_metadata
from sidecar.native.request import NativeRequest


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("PUT", "/docs", True),
        ("DELETE", "/docs", True),
        ("PUT", "/docs/_mapping", True),
        ("PUT", "/docs/_settings?pretty", True),
        ("POST", "/_aliases", True),
        ("DELETE", "/docs/_alias/a", True),
        ("POST", "/docs/_rollover", True),
        ("PUT", "/_index_template/t", True),
        ("DELETE", "/_component_template/t", True),
        ("PUT", "/_ingest/pipeline/p", True),
        ("DELETE", "/_search/pipeline/p", True),
        ("POST", "/_snapshot/r/s/_restore", True),
        ("GET", "/docs", False),
        ("POST", "/_bulk", False),
        ("PUT", "/docs/_doc/1", False),
        ("POST", "/docs/_update/1", False),
        ("POST", "/docs/_search", False),
        ("POST", "/_msearch", False),
        ("POST", "/docs/_search/point_in_time", False),
        ("POST", "/docs/_refresh", False),
        ("DELETE", "/_search/scroll", False),
    ],
)
def test_changes_are_told_from_what_changes_nothing(method: str, target: str, expected: bool) -> None:
    assert changes_metadata(NativeRequest(method, target, [], io.BytesIO(), 0)) is expected
