"""Ray's machines, and how much of them each worker gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sidecar.errors import ConfigurationError, HardwareUnavailable

CUDA = "cuda"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PROCESSORS_OF_A_WORKER = 4
"""By default: each has a model of its own in memory, and one text of usual length does not keep many threads busy."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What Ray may use of one machine."""

    processors: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class WorkerSize:
    """``threads`` run the model; ``processors`` and ``gpus`` are what Ray counts a worker as: parts of one where
    several share it."""

    threads: int
    processors: float
    gpus: float


def default_workers(machines: Sequence[Machine], device: str) -> int:
    """One for each GPU where they are used, else one for every four processors."""
    if _uses_gpus(machines, device):
        return sum(machine.gpus for machine in machines)
    return max(1, sum(machine.processors // PROCESSORS_OF_A_WORKER for machine in machines))


def worker_size(machines: Sequence[Machine], workers: int, device: str) -> WorkerSize:
    """The largest workers of which so many fit on the machines. ``device`` is the setting's: empty is CUDA where there
    is any.

    Raises: HardwareUnavailable where CUDA is asked for, and no machine has it.
    """
    gpus = sum(machine.gpus for machine in machines) if _uses_gpus(machines, device) else 0
    processors = [machine.processors for machine in machines]
    threads = _most_each(processors, workers)
    return WorkerSize(
        threads=threads or 1,
        processors=threads or _share(sum(processors), workers),
        gpus=_share(gpus, workers),
    )


def check_reach(machines: Sequence[Machine], opensearch_url: str) -> None:
    """Raises: ConfigurationError where the URL leads each of several machines to itself."""
    host = urlsplit(opensearch_url).hostname
    if len(machines) > 1 and host in _LOOPBACK:
        raise ConfigurationError(
            f"OpenSearch is at {host}, which on each of Ray's {len(machines)} machines is that machine itself. Set "
            "OPENSEARCH_URL to an address by which all of them reach it."
        )


def _uses_gpus(machines: Sequence[Machine], device: str) -> bool:
    are_there = any(machine.gpus for machine in machines)
    if device.startswith(CUDA) and not are_there:
        raise HardwareUnavailable(f"SIDECAR_DEVICE is {device}, but Ray knows of no GPU on its machines.")
    return are_there and (device.startswith(CUDA) or not device)


def _most_each(amounts: Sequence[int], workers: int) -> int:
    """The largest whole number that fits so often into the amounts; 0 where not even one does."""
    sizes = range(max(amounts, default=0), 0, -1)
    return next((size for size in sizes if sum(amount // size for amount in amounts) >= workers), 0)


def _share(amount: int, workers: int) -> float:
    """1, or the part of one that each worker gets where there are more workers."""
    return 1 / math.ceil(workers / amount) if amount else 0
