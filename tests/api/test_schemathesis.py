"""Random and systematic requests by the API's own document: Schemathesis against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.schemathesis_runs import fuzzed_server, run_schemathesis
from tests.fix_server import Sidecar

LEAST_CASES = 350
EXAMPLES = 8
"""Random requests for each route. Those that the document's bounds and choices make are for `make test-attacks`."""
OPTIONS = ("--generation-deterministic", "--phases", "examples,fuzzing,stateful")


@pytest.fixture
def server(node: str) -> Iterator[Sidecar]:
    """A server to be tried."""
    with fuzzed_server(node) as running:
        yield running


@pytest.mark.timeout(900)
def test_server_does_what_its_document_says(
    server: Sidecar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run_schemathesis(server, tmp_path, examples=EXAMPLES, options=OPTIONS)
    with capsys.disabled():
        print(f"\nSchemathesis: {told.cases:,} cases, {told.report.get('running_time', 0):.0f} s")
    told.check(LEAST_CASES)
