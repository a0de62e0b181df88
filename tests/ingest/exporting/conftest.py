"""Indexes to export."""

from __future__ import annotations

import pytest

from tests.fix_server import Sidecar
from tests.ingest.exporting.exports import TEXT
from tests.native.declaring.indexes import send

UNREAD = {"settings": {"number_of_shards": 2}, "mappings": {"dynamic": False}}
"""An index whose documents may be anything: the cluster looks into none."""


@pytest.fixture
def unread(node: str, index_name: str) -> str:
    """An empty index of `UNREAD`."""
    assert send(node, "PUT", f"/{index_name}", UNREAD)[0] == 200
    return index_name


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index of the ``/indexes`` API with 40 documents."""
    sidecar.add(index, [{"_id": f"d{number}", "title": f"{TEXT} {number}", "n": number} for number in range(40)])
    return index
