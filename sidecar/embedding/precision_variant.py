"""Makes the float16 or int8 form of a converted text model, without torch:
``python -m sidecar.embedding.precision_variant SOURCE PRECISION TARGET``.

SOURCE is the folder of the float32 form; TARGET, an existing empty one, gets the same files, with facts of its own. A
form whose vectors are too far from float32's is an error, and is not kept.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.embedding.calibration_ranges import measure_ranges
from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.conversion import FACTS, GRAPH, TOKENIZER, ConvertedModel, read_converted
from sidecar.embedding.loaders.onnx_text import OnnxTextLoader
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.precision_files import graph_bytes
from sidecar.embedding.precision_float16 import store_as_float16
from sidecar.embedding.quantize_graph import quantize_graph
from sidecar.embedding.text_tokens import TextTokens, token_arrays

TEXTS = 200
"""Half of them calibrate int8, and all check it; an eighth is enough to check float16."""
MAX_TOKENS = 256
LEAST_FLOAT16_COSINE = 0.999
LEAST_INT8_NEIGHBOURS = 0.8
"""all-MiniLM-L6-v2 keeps 0.95 of float32's nearest ten; what loses a fifth of them is broken."""


def convert_precision(source: Path, precision: str, target: Path) -> None:
    """Write the form of the model in ``source`` that ``precision`` names to ``target``.

    Raises: ValueError where there is no model in ``source``, or its form is too far from it.
    """
    model = read_converted(source)
    if model is None:
        raise ValueError(f"{source} holds no converted model")
    texts = calibration_texts(TEXTS)
    graph = target / GRAPH
    if precision == "int8":
        ranges = measure_ranges(model.graph_path, _feeds(model, texts[::2]), target)
        quantize_graph(model.graph_path, graph, ranges)
        store_as_float16(graph, graph)
    else:
        store_as_float16(model.graph_path, graph)
    shutil.copy(model.tokenizer_path, target / TOKENIZER)
    _write_facts(model, precision, target)
    _check(model, precision, target, texts)


def _feeds(model: ConvertedModel, texts: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
    import onnx

    inputs = [value.name for value in onnx.load(str(model.graph_path), load_external_data=False).graph.input]
    tokens = TextTokens(model.tokenizer_path, min(MAX_TOKENS, model.max_tokens), strips_text=model.strips_text)
    for prepared in tokens.prepare(texts):
        yield token_arrays([prepared], inputs)


def _write_facts(model: ConvertedModel, precision: str, target: Path) -> None:
    facts = json.loads((model.folder / FACTS).read_text(encoding="utf-8"))
    size = graph_bytes(target / GRAPH)
    facts |= {
        "precision": precision,
        "graph_bytes": size,
        "tokenizer_bytes": (target / TOKENIZER).stat().st_size,
        # 16-bit weights become 32-bit ones in memory; int8's own are the smaller part of a file of embedding tables.
        "memory_bytes": model.memory_bytes if precision == "float16" else min(2 * size, model.memory_bytes),
    }
    (target / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _check(model: ConvertedModel, precision: str, target: Path, texts: Sequence[str]) -> None:
    form = read_converted(target)
    if form is None:
        raise ValueError("the conversion left no readable graph")
    if precision == "float16":
        texts = texts[::8]
    wanted, found = (_vectors(each, texts) for each in (model, form))
    if precision == "float16" and (cosine := least_cosine(wanted, found)) < LEAST_FLOAT16_COSINE:
        raise ValueError(
            f"its float16 form gives vectors of cosine {cosine:.5f} to float32's, under {LEAST_FLOAT16_COSINE}; "
            "use float32"
        )
    if precision == "int8" and (kept := kept_neighbours(wanted, found)) < LEAST_INT8_NEIGHBOURS:
        raise ValueError(
            f"its int8 form finds {kept:.0%} of the ten nearest texts that float32 finds, under "
            f"{LEAST_INT8_NEIGHBOURS:.0%}; use float16 or float32"
        )


def _vectors(model: ConvertedModel, texts: Sequence[str]) -> NDArray[np.float32]:
    return OnnxTextLoader(model, min(MAX_TOKENS, model.max_tokens), model.dimensions).encode_text(texts)


def main(arguments: Sequence[str]) -> None:
    """Convert; the arguments are SOURCE, PRECISION and TARGET."""
    source, precision, target = arguments
    convert_precision(Path(source), precision, Path(target))


if __name__ == "__main__":
    main(sys.argv[1:])
