"""Measures what flows into the matrix products of an ONNX graph while it embeds real texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sidecar.embedding.precision_files import weights_file
from sidecar.embedding.precision_float16 import save_graph

_ROWS = "sidecar/rows"


@dataclass(frozen=True, slots=True)
class ChannelRanges:
    """The least and the greatest number in each channel of one activation, float32, shape (channels,)."""

    least: NDArray[np.float32]
    greatest: NDArray[np.float32]

    def joined(self, other: ChannelRanges) -> ChannelRanges:
        """The ranges that hold both."""
        return ChannelRanges(np.minimum(self.least, other.least), np.maximum(self.greatest, other.greatest))


def weighted_products(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    """The MatMul nodes with a constant second matrix, by the activation that goes into them."""
    constants = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    products: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants and node.input[0] not in constants:
            products.setdefault(node.input[0], []).append(node)
    return products


def measure_ranges(graph: Path, feeds: Iterable[Mapping[str, NDArray[Any]]], scratch: Path) -> dict[str, ChannelRanges]:
    """The range of each channel of each activation that `weighted_products` names, over all feeds.

    The graph itself takes the extremes, so that a big model's activations are never held. No feed may have padding:
    it would count. ``scratch`` is a folder for a file as big as the graph, which is deleted.
    """
    model = onnx.load(str(graph))
    names = list(weighted_products(model.graph))
    _add_extremes(model.graph, names)
    path = scratch / "ranges.onnx"
    try:
        save_graph(model, path)
        del model
        return _run(path, names, feeds)
    finally:
        path.unlink(missing_ok=True)
        weights_file(path).unlink(missing_ok=True)


def _add_extremes(graph: onnx.GraphProto, names: Sequence[str]) -> None:
    channels = {tensor.name: tensor.dims[0] for tensor in graph.initializer if len(tensor.dims) == 2}
    products = weighted_products(graph)
    for name in names:
        width = channels[products[name][0].input[1]]
        shape = numpy_helper.from_array(np.array([-1, width], dtype=np.int64), f"{name}/{_ROWS}/shape")
        graph.initializer.append(shape)
        graph.node.append(helper.make_node("Reshape", [name, shape.name], [f"{name}/{_ROWS}"]))
        for kind in ("ReduceMin", "ReduceMax"):
            output = f"{name}/{kind}"
            graph.node.append(helper.make_node(kind, [f"{name}/{_ROWS}"], [output], axes=[0], keepdims=0))
            graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [width]))


def _run(path: Path, names: Sequence[str], feeds: Iterable[Mapping[str, NDArray[Any]]]) -> dict[str, ChannelRanges]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs = [f"{name}/{kind}" for name in names for kind in ("ReduceMin", "ReduceMax")]
    ranges: dict[str, ChannelRanges] = {}
    for feed in feeds:
        extremes = session.run(outputs, dict(feed))
        for number, name in enumerate(names):
            found = ChannelRanges(extremes[2 * number], extremes[2 * number + 1])
            ranges[name] = ranges[name].joined(found) if name in ranges else found
    return ranges
