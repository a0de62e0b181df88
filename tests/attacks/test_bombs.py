"""Images that unpack to more than they may, or work without end, are refused before they take memory or time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.bombs import BOMBS, MAX_PIXELS

pytestmark = pytest.mark.attacks

ROOT = Path(__file__).parent.parent.parent
MOST_BYTES = 15 * MAX_PIXELS
"""Of memory, while an image is decoded: three copies of the largest that is allowed, of four bytes for each pixel."""
MOST_SECONDS = 5.0


@pytest.mark.parametrize("make", BOMBS)
def test_a_bomb_takes_no_more_than_an_image(
    make: Callable[[], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = make()
    (tmp_path / "bomb").write_bytes(content)
    command = [sys.executable, "-m", "tests.attacks.bombs", str(tmp_path / "bomb")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    told = json.loads(done.stdout)
    with capsys.disabled():
        taken = f"{told['bytes'] // 2**20:,} MiB, {told['seconds']:.1f} s"
        print(f"\n{make.__name__}: {len(content):,} bytes, {taken}: {told['outcome'][:100]}")
    assert told["bytes"] < MOST_BYTES
    assert told["seconds"] < MOST_SECONDS
