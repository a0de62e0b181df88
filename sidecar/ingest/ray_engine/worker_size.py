"""How much of the cluster's machines each worker gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.errors import HardwareUnavailable

CUDA = "cuda"


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


def worker_size(machines: Sequence[Machine], workers: int, device: str) -> WorkerSize:
    """The largest workers of which so many fit on the machines. ``device`` is the setting's: empty is CUDA where there
    is any.

    Raises: HardwareUnavailable where CUDA is asked for, and no machine has it.
    """
    gpus = sum(machine.gpus for machine in machines)
    if device.startswith(CUDA) and not gpus:
        raise HardwareUnavailable(f"SIDECAR_DEVICE is {device}, but Ray knows of no GPU on its machines.")
    uses_gpus = device.startswith(CUDA) or (not device and gpus > 0)
    processors = [machine.processors for machine in machines]
    threads = _most_each(processors, workers)
    return WorkerSize(
        threads=threads or 1,
        processors=threads or _share(sum(processors), workers),
        gpus=_share(gpus, workers) if uses_gpus else 0,
    )


def _most_each(amounts: Sequence[int], workers: int) -> int:
    """The largest whole number that fits so often into the amounts; 0 where not even one does."""
    sizes = range(max(amounts, default=0), 0, -1)
    return next((size for size in sizes if sum(amount // size for amount in amounts) >= workers), 0)


def _share(amount: int, workers: int) -> float:
    """1, or the part of one that each worker gets where there are more workers."""
    return 1 / math.ceil(workers / amount) if amount else 0
