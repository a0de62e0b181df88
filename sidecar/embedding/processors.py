"""The processors of this machine: how many models may run on, and what they can do."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def available_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache
def processor_name() -> str:
    """The processor's model, as far as the system tells it."""
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@lru_cache
def has_dot_products() -> bool:
    """True where dot products of int8 are summed in 32 bits: VNNI on x86, and all other kinds of processors.

    An x86 whose system does not tell counts as one without.
    """
    if platform.machine().lower() not in ("x86_64", "amd64", "i386", "i686"):
        return True
    if not _CPU_INFO.is_file():
        return False
    return bool(instruction_sets() & {"avx512_vnni", "avx_vnni"})


@lru_cache
def instruction_sets() -> frozenset[str]:
    """What the processor has beyond its base, by the names of Linux, as ``avx2``; none where the system does not
    tell."""
    if not _CPU_INFO.is_file():
        return frozenset()
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    told = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(told.partition(":")[2].split())
