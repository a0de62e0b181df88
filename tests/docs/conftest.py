"""What all readers of pages leave behind is deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fix_opensearch import request


@pytest.fixture
def nothing_left(node: str) -> Iterator[None]:
    """Deletes the indexes that a page made."""
    before = _indexes(node)
    yield
    for name in _indexes(node) - before:
        request(node, "DELETE", f"/{name}")


def _indexes(node: str) -> set[str]:
    _, answer = request(node, "GET", "/_cat/indices?h=index&format=json&expand_wildcards=all")
    return {row["index"] for row in json.loads(answer) if not row["index"].startswith(".")}
