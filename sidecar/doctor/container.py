"""What a container, or another group of processes (cgroup), may use of its machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sidecar.whole_numbers import whole_number

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
_DIGITS = 19
"""As many as the greatest number of the kernel has."""
_NO_LIMIT = 1 << 60
"""What version 1 says where there is no limit is near 2**63."""


def memory_limit_bytes(root: Path = ROOT, own: Path = OWN) -> int | None:
    """The least limit on memory that holds for this process; None for none."""
    limits = [
        whole_number(text, most_digits=_DIGITS)
        for text in _values("memory.max", "memory/memory.limit_in_bytes", root, own)
    ]
    return min((limit for limit in limits if limit is not None and limit < _NO_LIMIT), default=None)


def processors_limit(root: Path = ROOT, own: Path = OWN) -> float | None:
    """How many processors' time this process may take; None for any."""
    told = [text.partition(" ")[::2] for text in _values("cpu.max", "", root, own)]
    old = (_read(root / "cpu" / "cpu.cfs_quota_us"), _read(root / "cpu" / "cpu.cfs_period_us"))
    limits = [[whole_number(text, most_digits=_DIGITS) for text in pair] for pair in (*told, old)]
    return min((quota / period for quota, period in limits if quota and period), default=None)


def _values(name: str, old_name: str, root: Path, own: Path) -> Iterator[str]:
    """What the process's own group says, and those that it is in; and the one group of version 1."""
    place = next((line[3:] for line in _read(own).splitlines() if line.startswith("0::")), "/")
    group = root / place.strip("/")
    for folder in (group, *group.parents):
        if folder == root.parent:
            break
        yield _read(folder / name)
    if old_name:
        yield _read(root / old_name)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
