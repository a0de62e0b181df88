"""`sidecar ingest --engine ray` with a cluster of its own, as a user runs and stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.ingest.loading.command import MODEL, WAIT_SECONDS, Ingest, books, by_id, count, stored, write_lines

LOOK_SECONDS = 0.5
NOISE = re.compile(r"(?i)traceback|warning|raylet|ray\.|\.py|\.cc")
FOLDER = re.compile(r"/tmp/ray-[^/]+")


def test_ctrl_c_ends_ray_and_all_its_processes_and_the_load_goes_on_without_it(
    node: str, index_name: str, tmp_path: Path
) -> None:
    documents = books(5000)
    source = write_lines(tmp_path / "books.jsonl", documents)
    arguments = [str(source), "--index", index_name, "--tensor-fields", "title", *MODEL]
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "ingest", *arguments, "--engine", "ray", "--workers", "2", "--batch", "25"],
        env=os.environ | {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not count(node, index_name):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
    children = psutil.Process(process.pid).children(recursive=True)
    folder = next(match[0] for each in children if (match := FOLDER.search(" ".join(each.cmdline()))))
    # As a terminal does: the signal goes to all processes that were started in it.
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130, said
    assert len(children) > 4
    assert psutil.wait_procs(children, timeout=WAIT_SECONDS)[1] == []
    assert not Path(folder).exists()
    assert not NOISE.search(said), said
    assert 0 < count(node, index_name) < len(documents)

    summary = Ingest(node, tmp_path / "home", *arguments).done()
    assert 0 < summary["documents_in_this_run"] < len(documents), summary
    assert stored(node, index_name) == by_id(documents)
