from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fix_opensearch import request
from tests.ingest.migration.migrating import Migrate


@pytest.fixture
def migrate(node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Runs the command, without letting the tests' own process give way to others."""
    monkeypatch.setattr("sidecar.cli.migrate_parts.give_way", lambda: None)
    return Migrate(node, tmp_path)


@pytest.fixture
def name(node: str) -> Iterator[str]:
    """A name that no index has; the indexes whose names begin so are deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    request(node, "DELETE", f"/{name}*?ignore_unavailable=true&expand_wildcards=all")
