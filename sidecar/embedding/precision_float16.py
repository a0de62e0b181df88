"""Stores an ONNX graph's weights in 16 bits: half the disk, the same arithmetic, and so the same speed.

Each weight is followed by a cast to float32 that ONNX Runtime and OpenVINO carry out once, when they load the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sidecar.embedding.precision_files import weights_file

SMALLEST_WEIGHT = 1024
"""Numbers in a tensor below which it stays in 32 bits: biases and norms save nothing and cost accuracy."""
LARGEST_INNER_WEIGHTS_BYTES = 1_000_000
"""Weights that are more lie beside the graph: ONNX Runtime maps their file, where it would copy what is in the graph's
own, and keep the copy (all-MiniLM-L6-v2: 51 MB in place of 99). A graph may not be over 2 GiB as one file either."""
_GREATEST = float(np.finfo(np.float16).max)


def store_as_float16(source: Path, target: Path) -> None:
    """Write the graph in ``source`` to ``target`` with its weights in 16 bits; both may have external data.

    Inputs, outputs and all arithmetic stay as they are. A weight with a number that 16 bits can't hold stays in 32.
    External data of ``target`` lies in one file beside it, named as it with ``.data`` at the end.
    Raises: OSError, and what onnx raises for a file that is no graph.
    """
    model = onnx.load(str(source))
    graph = model.graph
    # A graph's input that has a default is no constant: nothing would fold its cast.
    changeable = {value.name for value in (*graph.input, *graph.output)}
    casts = [_stored_in_16_bits(tensor) for tensor in graph.initializer if _fits(tensor, changeable)]
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    save_graph(model, target)


def save_graph(model: onnx.ModelProto, target: Path) -> None:
    """Write the graph, with weights of more than `LARGEST_INNER_WEIGHTS_BYTES` in ``TARGET.data``."""
    data = weights_file(target)
    target.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    if _weight_bytes(model.graph.initializer) <= LARGEST_INNER_WEIGHTS_BYTES:
        onnx.save(model, str(target))
        return
    onnx.save(model, str(target), save_as_external_data=True, all_tensors_to_one_file=True, location=data.name)


def _fits(tensor: TensorProto, changeable: set[str]) -> bool:
    if tensor.data_type != TensorProto.FLOAT or tensor.name in changeable or np.prod(tensor.dims) < SMALLEST_WEIGHT:
        return False
    numbers: NDArray[np.float32] = numpy_helper.to_array(tensor)
    return bool(np.abs(numbers).max() <= _GREATEST)


def _stored_in_16_bits(tensor: TensorProto) -> onnx.NodeProto:
    """Change the tensor, and return the node that gives its old name to the numbers in 32 bits."""
    name, stored = tensor.name, f"{tensor.name}/float16"
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), stored))
    return helper.make_node("Cast", [stored], [name], name=f"{name}/float32", to=TensorProto.FLOAT)


def _weight_bytes(tensors: Sequence[TensorProto]) -> int:
    return sum(len(tensor.raw_data) for tensor in tensors)
