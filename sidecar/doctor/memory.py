"""Whether there is memory for the embedded node and the models."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from sidecar.config import Settings
from sidecar.doctor.container import memory_limit_bytes
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.sizes import told_bytes
from sidecar.doctor.surroundings import Surroundings

SERVER_BYTES = 300_000_000
"""A server without models, with room for requests: 90 MB of memory measured, and as much again at work."""
JAVA_BYTES = 300_000_000
"""What Java takes beside its heap: its own code, threads, the collector."""
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Need:
    """Bytes that each part may come to take; ``node`` is 0 where the node is not this machine's."""

    node: int
    models: int
    server: int = SERVER_BYTES


def check(about: Surroundings) -> Iterator[Finding]:
    """The memory of the machine, or of the container, against what may be taken of it."""
    machine = psutil.virtual_memory()
    limits = {
        "this machine has": machine.total,
        "this container may use": memory_limit_bytes(),
        "a process may use (ulimit -v)": _address_space(),
    }
    known = {name: limit for name, limit in limits.items() if limit is not None}
    name = min(known, key=lambda each: known[each])
    need = need_of(about.settings)
    yield judge(f"{name} {told_bytes(known[name])}", known[name], need)
    runs = about.settings.uses_embedded_node and about.node is not None
    free = machine.available + (need.node if runs else 0)
    if free < need.node + need.server:
        yield warning(
            f"only {told_bytes(machine.available)} of memory are free now; {_told(need)}.",
            "End other programs, or let the node have less (SIDECAR_NODE_HEAP).",
        )


def need_of(settings: Settings) -> Need:
    """What the parts may take, by their settings. Half of the heap's size again may be taken beside it, for buffers."""
    heap = heap_bytes(settings) if settings.uses_embedded_node else 0
    models = 0 if settings.embedding_url else int(settings.model_memory * 1e9)
    return Need(node=heap + heap // 2 + JAVA_BYTES if heap else 0, models=models)


def heap_bytes(settings: Settings) -> int:
    """The Java heap of the embedded node; further options of Java may override the setting."""
    found = re.findall(r"-Xmx(\d+)([kmgKMG])", settings.node_java_options)
    number, unit = found[-1] if found else (settings.node_heap[:-1], settings.node_heap[-1])
    return int(number) * _UNITS[unit.lower()]


def judge(place: str, limit_bytes: int, need: Need) -> Finding:
    """Whether a limit on memory is enough; ``place`` says what it is, and how much."""
    least = need.node + need.server
    if limit_bytes < least:
        others = ", let the node have less (SIDECAR_NODE_HEAP=512m), or use a cluster elsewhere (OPENSEARCH_URL)"
        return error(
            f"{place} of memory, and {told_bytes(least)} are needed even without a model: {_told(need)}.",
            f"Give it more{others if need.node else ''}.",
        )
    if limit_bytes < least + need.models:
        fitting = (limit_bytes - least) / 1e9
        return warning(
            f"{place} of memory; {_told(need)}: together more than there is, where all are used to the full.",
            f"Set SIDECAR_MODEL_MEMORY={fitting:.1f}, so that models make room for each other in time; or give it "
            "more.",
        )
    return ok(f"{place} of memory; {_told(need)}")


def _told(need: Need) -> str:
    node = f"the embedded OpenSearch takes up to {told_bytes(need.node)}, " if need.node else ""
    models = f"models up to {told_bytes(need.models)} (SIDECAR_MODEL_MEMORY), " if need.models else ""
    return f"{node}{models}the server {told_bytes(need.server)}"


def _address_space() -> int | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft
