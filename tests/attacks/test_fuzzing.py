"""Nothing that a stranger may send breaks what reads it: coverage leads the fuzzer from seeds into every branch."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.attacks

ROOT = Path(__file__).parent.parent.parent
SECONDS = 75
"""For each target."""
LEAST_CASES = {"pictures": 2_000, "repetition": 500}
"""Of targets that try fewer than others, for each case is long."""
LONGEST_CASE_SECONDS = 10
MOST_MEMORY_MB = 1024
"""Of the whole process, numpy and the sidecar's modules among it: an input that takes hundreds more breaks it."""
TARGETS = (
    "bulk",
    "queries",
    "declarations",
    "json_text",
    "filters",
    "pictures",
    "request_targets",
    "pointers",
    "repetition",
)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this system: nothing is fuzzed"
)
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.attacks.fuzzing", name, str(tmp_path)]
    options = [
        f"-max_total_time={SECONDS}",
        f"-timeout={LONGEST_CASE_SECONDS}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        "-print_final_stats=1",
        "-max_len=4096",
        "-len_control=0",
    ]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=1200, check=False
    )
    told = done.stdout + done.stderr
    found = re.search(r"number_of_executed_units: (\d+)", told)
    cases = int(found[1]) if found else 0
    memory = re.search(r"peak_rss_mb: +(\d+)", told)
    with capsys.disabled():
        print(f"\n{name}: {cases:,} cases, {memory[1] if memory else '?'} MB")
    assert done.returncode == 0, told[-10_000:]
    assert cases >= LEAST_CASES.get(name, 10_000), told[-3000:]
