"""Opens ONNX Runtime sessions, with the options that all models here run best with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort

from sidecar.embedding.model_spec import CPU
from sidecar.errors import HardwareUnavailable

SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Fusions whose kernels take longer on a CPU than the parts they are made of: without them float32 is 2 % faster, int8
25 % (all-MiniLM-L6-v2, ONNX Runtime 1.32; SkipLayerNormalization takes 174 ms where Add and LayerNormalization take
43). For the same reason graphs are not fused when they are converted: all of the library's fusions for transformers
together make float32 14 % slower."""

SPIN_MICROSECONDS = 20
"""How long the threads of one run spin before they sleep when it has nothing for them: as long as its steps that need
one thread only, for to be woken takes a quarter of the time of a lone text (all-MiniLM-L6-v2, two threads: 2.6 ms
against 3.7). Longer gains nothing, and takes the processor from the cluster on the same machine: where seven processes
wanted two processors, a text took five times as long with threads that spin all through a run."""
SPIN_SINCE = (1, 26)
"""The first version of the library in which that can be said: older ones spin all through a run, or not at all."""


def open_session(path: Path, threads: int, device: str) -> ort.InferenceSession:
    """A session of the graph that runs each batch on ``threads`` threads of the CPU, or on a CUDA device.

    Raises: HardwareUnavailable where the installed ONNX Runtime can't use the device; what the library raises for a
    graph that can't be read.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    spins = threads > 1 and _version() >= SPIN_SINCE
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spins else "0")
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_MICROSECONDS))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # The arena keeps memory for every shape that ever ran; without it the same runs are 6 % faster.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    disabled = SLOW_FUSIONS if device == CPU else []
    return ort.InferenceSession(str(path), options, providers=_providers(device), disabled_optimizers=disabled)


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])


def _providers(device: str) -> list[Any]:
    if device == CPU:
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise HardwareUnavailable(
            f"device {device!r}: the installed ONNX Runtime can't use it. Install onnxruntime-gpu in its place, or "
            "give the model's name without onnx/, onnx32/ or onnx16/, which runs in torch there"
        )
    number = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": number}), "CPUExecutionProvider"]
