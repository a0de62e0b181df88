"""How much memory this process has had at most."""

from __future__ import annotations

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def most_memory_bytes() -> int:
    """The most resident memory since the process's program began."""
    if _STATUS.exists():
        # What getrusage tells on Linux counts the process that this one was forked from, too.
        (line,) = (one for one in _STATUS.read_text("ascii").splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
