"""Where the time of a group of figures goes: py-spy's samples of this process and of all that it starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

_SAMPLES_PER_SECOND = 50
_COSTS = 8
_ROLES = (("sidecar serve", "server"), ("sidecar ingest", "ingest"), ("sidecar migrate", "migrate"), ("ray", "ray"))
_WAITING = re.compile(
    r"^(\w+\.)*(wait|select|poll|accept|epoll_wait|futex_wait|_worker|_look|readinto|recv_into|do_wait|_wait_for_tstate_lock)\b"
)
"""Frames in which a thread waits for others, which the sampler may take for work."""


@dataclass
class Costs:
    """Samples of one role's processes: of all, by the innermost frame, and by the sidecar's own innermost function."""

    samples: int = 0
    innermost: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)


@contextmanager
def profiled(group: str) -> Iterator[None]:
    """Sample what runs inside the ``with``, and print the dearest functions of each kind of process at its end.

    The cluster is a Java process, of which nothing is seen. Sampling costs some percent: figures taken meanwhile are
    not for the table. Raises: RuntimeError where py-spy does not start, as it does not without leave to trace.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "samples.txt"
        sampler = _started(raw)
        try:
            yield
        finally:
            sampler.send_signal(signal.SIGINT)
            sampler.communicate()
        for role, costs in sorted(read_samples(raw.read_text("utf-8").splitlines()).items()):
            _show(group, role, costs)


def read_samples(lines: Iterable[str]) -> dict[str, Costs]:
    """The costs of each role from stacks as py-spy writes them: frames from the outermost, a space, and a number."""
    found: dict[str, Costs] = {}
    for line in lines:
        stack, _, number = line.rpartition(" ")
        frames = [frame for frame in stack.split(";") if frame]
        if not frames or _WAITING.match(frames[-1]):
            continue
        costs = found.setdefault(_role(frames), Costs())
        samples = int(number)
        costs.samples += samples
        costs.innermost[frames[-1]] += samples
        own = next((frame for frame in reversed(frames) if "sidecar/" in frame), None)
        if own is not None:
            costs.own[own] += samples
    return found


def _started(raw: Path) -> subprocess.Popen[str]:
    command = ["record", "--pid", str(os.getpid()), "--subprocesses", "--format", "raw"]
    rate = ["--rate", str(_SAMPLES_PER_SECOND), "--output", str(raw)]
    py_spy = Path(sys.executable).with_name("py-spy")
    sampler = subprocess.Popen([py_spy, *command, *rate], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert sampler.stdout is not None
    told = sampler.stdout.readline()
    if sampler.poll() is not None:
        raise RuntimeError(f"py-spy does not start: {told}{sampler.stdout.read()}")
    return sampler


def _role(frames: list[str]) -> str:
    processes = [frame for frame in frames if frame.startswith("process ")]
    command = processes[-1] if processes else ""
    return next((role for part, role in _ROLES if part in command), "benchmark")


def _show(group: str, role: str, costs: Costs) -> None:
    click.echo(f"{group}: {role}: {costs.samples} samples, {costs.samples / _SAMPLES_PER_SECOND:.0f} s of processors")
    for title, counter in (("innermost", costs.innermost), ("own", costs.own)):
        for frame, samples in counter.most_common(_COSTS):
            click.echo(f"  {title} {samples / costs.samples:6.1%}  {frame}")
