"""Rewrites the matrix products of an ONNX graph in int8: the method behind the precision ``int8``.

Weights get one scale for each column. Activations get one scale and zero for each tensor, fixed by calibration: a
text's vector does not depend on what else is in its batch, as it would with scales measured as the model runs.
Channels far out of line, of which every encoder has a few, would make that scale coarse for all others; they are
divided by a factor that their row of weights is multiplied by (the idea of SmoothQuant, arXiv 2211.10438).

The graph stays standard ONNX (QuantizeLinear and DequantizeLinear around MatMul), so that ONNX Runtime and OpenVINO
both find their own int8 kernels for it. Between products all stays float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from sidecar.embedding.calibration_ranges import ChannelRanges, weighted_products
from sidecar.embedding.precision_float16 import save_graph
from sidecar.embedding.processors import has_dot_products

WEIGHT_LEVELS = 127
NARROW_WEIGHT_LEVELS = 63
"""For x86 processors without VNNI: 255 x 63 twice fits into 16 bits."""
OUTLIER_RATIO = 3.0
"""An activation is smoothed where its strongest channel is this many times the median one; the multiplication that
smoothing costs is 1 % of the time for each layer, and below this it brings nothing."""
SMOOTHED_RATIO = 1.5
"""What the strongest channels are brought down to. all-MiniLM-L6-v2, least and mean cosine to float32 over 160 texts:
without smoothing 0.9863 and 0.9941, by 4 0.9963 and 0.9978, by 2 0.9963 and 0.9983, by 1.5 0.9972 and 0.9985, by 1
0.9937 and 0.9979."""
_ACTIVATION_LEVELS = 255


def quantize_graph(source: Path, target: Path, ranges: Mapping[str, ChannelRanges]) -> None:
    """Write the graph in ``source`` to ``target`` with int8 weights, of the levels that this processor's products bear.

    ``ranges`` are those of `measure_ranges` on the same graph.
    Raises: ValueError where the graph has no matrix product with constant weights.
    """
    model = onnx.load(str(source))
    graph = model.graph
    products = weighted_products(graph)
    if not products:
        raise ValueError("the graph has no matrix product with constant weights that int8 could speed up")
    weight_levels = WEIGHT_LEVELS if has_dot_products() else NARROW_WEIGHT_LEVELS
    weights = {tensor.name: tensor for tensor in graph.initializer}
    rewritten: dict[str, list[onnx.NodeProto]] = {}
    for name, nodes in products.items():
        matrices = [_matrix(weights[node.input[1]]) for node in nodes]
        factors = _smoothing(ranges[name])
        first = _quantized_activation(graph, name, ranges[name], factors)
        for node, matrix in zip(nodes, matrices, strict=True):
            product = _quantized_product(graph, node, matrix * factors[:, None], weight_levels)
            rewritten[node.output[0]] = [*first, *product]
            first = []
    nodes = [new for node in graph.node for new in rewritten.get(node.output[0], [node])]
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)
    save_graph(model, target)


def _smoothing(ranges: ChannelRanges) -> NDArray[np.float64]:
    """What each channel is divided by, at least 1; shape (channels,)."""
    strengths = np.maximum(np.abs(ranges.least), np.abs(ranges.greatest)).astype(np.float64)
    usual = float(np.median(strengths))
    if usual == 0 or strengths.max() < OUTLIER_RATIO * usual:
        return np.ones_like(strengths)
    return np.maximum(1.0, strengths / (SMOOTHED_RATIO * usual))


def _quantized_activation(
    graph: onnx.GraphProto, name: str, ranges: ChannelRanges, factors: NDArray[np.float64]
) -> list[onnx.NodeProto]:
    nodes = []
    taken = name
    if np.any(factors != 1):
        taken = f"{name}/smoothed"
        nodes.append(helper.make_node("Mul", [name, _add(graph, f"{name}/factors", 1 / factors, np.float32)], [taken]))
    # Zero must be a level of its own: padding and absent features are zeros.
    least, greatest = (
        min(0.0, float((ranges.least / factors).min())),
        max(0.0, float((ranges.greatest / factors).max())),
    )
    scale = np.float32((greatest - least) / _ACTIVATION_LEVELS) or np.float32(1)
    zero = round(-least / float(scale))
    levels = [_add(graph, f"{name}/scale", scale, np.float32), _add(graph, f"{name}/zero", zero, np.uint8)]
    quantized = f"{name}/uint8"
    nodes.append(helper.make_node("QuantizeLinear", [taken, *levels], [quantized]))
    nodes.append(helper.make_node("DequantizeLinear", [quantized, *levels], [f"{name}/levels"]))
    return nodes


def _quantized_product(
    graph: onnx.GraphProto, node: onnx.NodeProto, matrix: NDArray[np.float64], weight_levels: int
) -> list[onnx.NodeProto]:
    name = node.output[0]
    scales = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny) / weight_levels
    levels = np.rint(matrix / scales)
    stored = [
        _add(graph, f"{name}/int8", levels, np.int8),
        _add(graph, f"{name}/scales", scales, np.float32),
        _add(graph, f"{name}/zeros", np.zeros(len(scales)), np.int8),
    ]
    return [
        helper.make_node("DequantizeLinear", stored, [f"{name}/weights"], axis=1),
        helper.make_node("MatMul", [f"{node.input[0]}/levels", f"{name}/weights"], [name], name=node.name),
    ]


def _matrix(tensor: onnx.TensorProto) -> NDArray[np.float64]:
    return np.asarray(numpy_helper.to_array(tensor), dtype=np.float64)


def _add(graph: onnx.GraphProto, name: str, numbers: Any, kind: type[np.generic]) -> str:
    graph.initializer.append(numpy_helper.from_array(np.asarray(numbers, dtype=kind), name))
    return name


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
