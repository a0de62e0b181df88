"""The memory of `sidecar ingest` after 5,000 documents, and what 195,000 more add to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Figure
from benchmarks.ingesting import environment, lines
from benchmarks.server import Client

_INDEX = "bench-ingest-memory"
_FIRST = 5_000
_MEGABYTE = 1024 * 1024
_WORDS = ("window", "river", "engine", "light", "paper", "garden", "signal", "market", "silver", "winter")


def measure(cluster_url: str, total: int = 200_000) -> list[Figure]:
    """Watch the process while it loads; memory is what is the process's alone, or shared once."""
    with lines(_documents(total)) as source:
        after_first, peak, seconds = _watched(cluster_url, source)
    Client(cluster_url).call("DELETE", f"/{_INDEX}")
    return [
        Figure(
            f"memory of ingest, growth from {_FIRST:,} to {total:,} documents",
            (peak - after_first) / _MEGABYTE,
            100,
            at_most=True,
            unit=" MB",
            detail=f"{after_first / _MEGABYTE:.0f} to {peak / _MEGABYTE:.0f} MB; {total / seconds:.0f} docs/s",
        )
    ]


def _watched(cluster_url: str, source: Path) -> tuple[int, int, float]:
    options = ["--model", "random/small", "--tensor-fields", "text", "--replace"]
    command = [sys.executable, "-m", "sidecar", "ingest", str(source), "--index", _INDEX, *options]
    started = time.perf_counter()
    job = subprocess.Popen(command, env=environment(cluster_url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = psutil.Process(job.pid)
    client = Client(cluster_url)
    after_first = peak = 0
    while job.poll() is None:
        try:
            memory = process.memory_full_info().pss
        except psutil.Error:  # it ended in this moment
            break
        if after_first == 0 and _stored(client) >= _FIRST:
            after_first = memory
        peak = max(peak, memory) if after_first else 0
        time.sleep(0.2)
    if job.wait() != 0:
        raise RuntimeError(f"{' '.join(command)}: {job.returncode}")
    return after_first, peak, time.perf_counter() - started


def _stored(client: Client) -> int:
    stats = client.call("GET", "/_stats/indexing?filter_path=indices.*.primaries.indexing.index_total")
    own = stats.get("indices", {}).get(_INDEX)
    return 0 if own is None else int(own["primaries"]["indexing"]["index_total"])


def _documents(total: int) -> Iterator[dict[str, Any]]:
    for number in range(total):
        words = " ".join(_WORDS[(number // 10**place) % 10] for place in range(6))
        yield {"_id": str(number), "text": f"Document {number}: {words}.", "group": number % 100}
