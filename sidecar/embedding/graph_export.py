"""Writes what torch runs as an ONNX graph."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch

from sidecar.embedding.precision_float16 import save_graph

_OPSET = 17


def export_graph(
    module: torch.nn.Module,
    example: Sequence[torch.Tensor],
    path: Path,
    *,
    inputs: Sequence[str],
    output: str,
    axes: Mapping[str, dict[int, str]],
) -> None:
    """Trace the module with an example of its arguments, and write it to ``path``, in an existing folder, as
    `save_graph` does. ``inputs`` and ``output`` are what the graph calls them, ``axes`` those that vary in size."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, torch.no_grad():
        # The exporter leaves weights in the graph, or those of a graph of over 2 GiB in hundreds of files beside it.
        written = Path(folder) / path.name
        torch.onnx.export(
            module.eval(),
            tuple(example),
            str(written),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=dict(axes),
            opset_version=_OPSET,
            dynamo=False,
        )
        save_graph(onnx.load(str(written)), path)
