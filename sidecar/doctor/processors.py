"""What the processors can do, how many may be used, and the device that models run on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator

from sidecar.config import Settings
from sidecar.doctor.container import processors_limit
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.embedding.devices import resolve_device
from sidecar.embedding.processors import available_processors, has_dot_products, instruction_sets, processor_name
from sidecar.errors import HardwareUnavailable, InvalidArgument

_TOLD = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16", "asimd", "i8mm", "sve")
"""Instructions that models run faster by."""
_X86 = ("x86_64", "amd64")


def check(about: Surroundings) -> Iterator[Finding]:
    """The processors, and the device."""
    yield from _number(about.settings, processors_limit())
    yield instructions(platform.machine().lower(), instruction_sets(), has_dot_products=has_dot_products())
    yield _device(about.settings)


def instructions(machine: str, sets: frozenset[str], *, has_dot_products: bool) -> Finding:
    """What a processor of that kind with these sets of instructions is good for."""
    known = [name for name in _TOLD if name in sets]
    told = f"{machine} with {', '.join(known) if known else 'no instructions that are known to matter'}"
    if machine in _X86 and sets and "avx2" not in sets:
        return warning(f"{told}: without AVX2, models run many times slower.", "Run the sidecar on another machine.")
    if not has_dot_products:
        return ok(f"{told}; int8 is little faster than float32 without VNNI")
    return ok(told)


def _number(settings: Settings, limit: float | None) -> Iterator[Finding]:
    available = available_processors()
    here = f"{processor_name()}, {available} of {os.cpu_count()} processors"
    threads = settings.embedding_threads or available
    if limit is not None and threads > max(1.0, limit):
        yield warning(
            f"{here}, of which this container may use the time of {limit:g}; {threads} threads run models.",
            f"Set SIDECAR_EMBEDDING_THREADS={max(1, int(limit))}, so that they do not stop each other, or give the "
            "container more.",
        )
    elif threads > available:
        yield warning(
            f"{here}; SIDECAR_EMBEDDING_THREADS is {threads}.", f"Set it to {available} at most, or take it away."
        )
    else:
        yield ok(here)


def _device(settings: Settings) -> Finding:
    try:
        return ok(f"models run on {resolve_device(settings.device or None)}")
    except (HardwareUnavailable, InvalidArgument) as failed:
        return error(f"SIDECAR_DEVICE: {failed.message}", "Set it to a device that is here, or take it away.")
