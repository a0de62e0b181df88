"""The devices models can run on: the processor, and CUDA's where this machine has them."""

from __future__ import annotations

import ctypes.util
import re
from dataclasses import dataclass
from functools import lru_cache

import psutil

from sidecar.embedding.model_spec import CPU
from sidecar.errors import HardwareUnavailable, InvalidArgument

_CUDA = re.compile(r"cuda:?(\d*)")


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """One graphics card, as torch numbers it; memory in bytes."""

    number: int
    name: str
    used_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessorUse:
    """How busy the machine's processors are, and how much of its memory is used."""

    busy_percent: float
    memory_percent: float
    memory_bytes: int


def processor_use() -> ProcessorUse:
    """The use of the whole machine, measured over a tenth of a second, for which the caller waits."""
    memory = psutil.virtual_memory()
    return ProcessorUse(psutil.cpu_percent(interval=0.1), memory.percent, memory.used)


def resolve_device(name: str | None) -> str:
    """``cpu`` or ``cuda:N`` for a client's word: ``cpu``, ``cuda``, ``cuda1``, ``cuda:1``, in any case.

    None is the default: the first CUDA device where there is one, else the processor.
    Raises: InvalidArgument for a word that is no device; HardwareUnavailable for one that is not on this machine.
    """
    if name is None:
        return "cuda:0" if cuda_count() else CPU
    word = spelled(name)
    if word == CPU:
        return CPU
    kind, _, number = word.partition(":")
    if kind != "cuda" or not number:
        raise InvalidArgument(f"device {name!r} is none; give cpu, cuda, or cuda and a number as cuda1.")
    if int(number) >= cuda_count():
        here = f"it has {cuda_count()} CUDA devices" if cuda_count() else "it has no CUDA device"
        raise HardwareUnavailable(
            f"device {name!r} is not on this machine: {here}. Leave `device` out, or give {_known()}."
        )
    return word


def spelled(name: str) -> str:
    """``cpu`` or ``cuda:N`` for a word of `resolve_device`, whatever this machine has; any other word as it is."""
    word = name.lower()
    match = _CUDA.fullmatch(word)
    return word if match is None else f"cuda:{int(match[1] or 0)}"


@lru_cache
def cuda_count() -> int:
    """How many CUDA devices torch can use; looked up once. Without a driver, torch is not even imported."""
    if ctypes.util.find_library("cuda") is None:
        return 0
    import torch

    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def cuda_devices() -> list[CudaDevice]:
    """The CUDA devices and their memory now. Raises: HardwareUnavailable where there is none."""
    if not cuda_count():
        raise HardwareUnavailable("this machine has no CUDA device")
    import torch

    devices = []
    for number in range(cuda_count()):
        free, total = torch.cuda.mem_get_info(number)
        devices.append(CudaDevice(number, torch.cuda.get_device_name(number), total - free, total))
    return devices


def _known() -> str:
    return ", ".join([CPU, *(f"cuda{number}" for number in range(cuda_count()))])
