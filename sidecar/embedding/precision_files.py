"""The files that make one ONNX graph, and the forms that a converted model is kept in."""

from __future__ import annotations

from pathlib import Path

from sidecar.embedding.model_spec import Precision
from sidecar.embedding.processors import has_dot_products


def weights_file(graph: Path) -> Path:
    """Where the weights of a graph lie that are not in its own file."""
    return graph.with_name(graph.name + ".data")


def graph_files(graph: Path) -> list[Path]:
    """The graph's file, and that of its weights where they lie beside it."""
    data = weights_file(graph)
    return [graph, data] if data.exists() else [graph]


def graph_bytes(graph: Path) -> int:
    """The size of the graph on disk. Raises: OSError where there is none."""
    return sum(path.stat().st_size for path in graph_files(graph))


def variant_of(precision: Precision) -> str:
    """The end of the name of the folder that holds a converted model in that precision; empty for float32.

    An x86 processor without dot products of bytes adds two products of int8 in 16 bits, which overflows unless weights
    keep to 7 bits; those are another form, so that a folder may be carried from one machine to another.
    """
    if precision == "int8" and not has_dot_products():
        return "-int8-narrow"
    return "" if precision == "float32" else f"-{precision}"
