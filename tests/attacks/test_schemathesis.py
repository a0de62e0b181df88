"""Thousands of random and systematic requests by the API's own document, others than the ordinary tests send."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.api.schemathesis_runs import fuzzed_server, run_schemathesis

pytestmark = pytest.mark.attacks

LEAST_CASES = 5000
EXAMPLES = 50
"""Random requests for each route."""


def test_server_does_what_its_document_says(node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = str(time.time_ns())
    with fuzzed_server(node) as server:
        told = run_schemathesis(server, tmp_path, examples=EXAMPLES, options=("--seed", seed))
        assert server.get("/").status_code == 200
    with capsys.disabled():
        print(f"\nSchemathesis: {told.cases:,} cases, {told.report.get('running_time', 0):.0f} s, seed {seed}")
    told.check(LEAST_CASES)
