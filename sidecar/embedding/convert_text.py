"""Converts one text model to ONNX: ``python -m sidecar.embedding.convert_text SOURCE POOLING TARGET``.

Writes ``model.onnx`` (token ids in, pooled vectors out), ``tokenizer.json`` and ``facts.json`` to TARGET. The facts
hold the least cosine between ONNX Runtime's and torch's vectors over probe texts of many lengths and scripts.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from sidecar.embedding.conversion import FACTS, GRAPH, TOKENIZER, read_converted
from sidecar.embedding.conversion_run import UNREADABLE_STATUS
from sidecar.embedding.graph_export import export_graph
from sidecar.embedding.loaders.onnx_text import OnnxTextLoader
from sidecar.embedding.precision_check import least_cosine
from sidecar.embedding.precision_files import graph_bytes
from sidecar.embedding.torch_text import load_sentence_transformer, max_positions

_SENTENCE = (
    "search engines index vectors of meaning and find the nearest neighbours of a query while models are trained"
)
_WORDS = _SENTENCE.split()

PROBE_TEXTS = [
    "a",
    " ",
    "  white space at the ends \n",
    "How do I read a file line by line?",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "def f(x):\n    return x ** 2  # square",
    "NUMBERS 3.14159 and 1e-9, e-mail me@example.org!",
    *[" ".join(_WORDS[i % len(_WORDS)] for i in range(start, start + length)) for start, length in
      [(0, 3), (5, 12), (2, 25), (9, 50), (1, 90), (4, 130), (7, 260), (3, 700)]],
]  # fmt: skip


class PooledModel(torch.nn.Module):
    """All modules of a sentence-transformers model as one function of its token arrays."""

    def __init__(self, model: SentenceTransformer, inputs: list[str]) -> None:
        super().__init__()
        self.stages = torch.nn.ModuleList(list(model))
        self.inputs = inputs

    def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
        features: dict[str, Any] = dict(zip(self.inputs, arrays, strict=True))
        for stage in self.stages:
            features = stage(features)
        vectors: torch.Tensor = features["sentence_embedding"]
        return vectors


def convert(source: Path, pooling: str, target: Path) -> None:
    """Convert the model in ``source`` into ``target``, an existing empty folder."""
    try:
        model = load_sentence_transformer(source, pooling, attention="eager")
    except Exception as error:
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        sys.exit(UNREADABLE_STATUS)
    tokenizer = model.tokenizer
    save_tokenizer(tokenizer, target / TOKENIZER)
    export(model, target / GRAPH)
    limit = max_positions(model)
    facts = {
        "dimensions": int(model.get_sentence_embedding_dimension() or 0),
        "max_tokens": limit,
        "strips_text": strips_text(model),
        "graph_bytes": graph_bytes(target / GRAPH),
        "tokenizer_bytes": (target / TOKENIZER).stat().st_size,
        "cosine": 0.0,
    }
    facts_path = target / FACTS
    facts_path.write_text(json.dumps(facts), encoding="utf-8")
    facts["cosine"] = _agreement(source, pooling, target)
    facts_path.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def save_tokenizer(tokenizer: Any, path: Path) -> None:
    """Write the tokenizer of a model of transformers. Raises: ValueError where it has only the slow form."""
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(f"the tokenizer {type(tokenizer).__name__} has no fast form")
    tokenizer.backend_tokenizer.save(str(path))


def export(model: SentenceTransformer, path: Path) -> None:
    """Write the graph. Eager attention gives a graph that ONNX Runtime runs 8 % faster than the fused kind's."""
    encoded = model.tokenizer(["one", "a longer text of several tokens"], padding=True, return_tensors="pt")
    inputs = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in encoded]
    shapes = {name: {0: "batch", 1: "tokens"} for name in inputs} | {"sentence_embedding": {0: "batch"}}
    module = PooledModel(model, inputs)
    arrays = [encoded[name] for name in inputs]
    export_graph(module, arrays, path, inputs=inputs, output="sentence_embedding", axes=shapes)


def strips_text(model: SentenceTransformer) -> bool:
    """True where the library takes white space off a text's ends, as versions before 6 do."""
    text = " a \n"
    taken = model.tokenize([text])["input_ids"][0].tolist()
    return bool(taken != model.tokenizer(text)["input_ids"])


def _agreement(source: Path, pooling: str, target: Path) -> float:
    """The least cosine of the converted graph's vectors to torch's, one text at a time and all together."""
    converted = read_converted(target)
    if converted is None:
        raise ValueError("the exporter left no readable graph")
    reference = load_sentence_transformer(source, pooling)
    reference.max_seq_length = converted.max_tokens
    wanted = np.asarray(reference.encode(PROBE_TEXTS, convert_to_numpy=True), dtype=np.float64)
    loader = OnnxTextLoader(converted, converted.max_tokens, converted.dimensions)
    together = loader.encode_text(PROBE_TEXTS)
    alone = np.concatenate([loader.encode_text([text]) for text in PROBE_TEXTS])
    return min(least_cosine(wanted, together), least_cosine(wanted, alone))


def main(arguments: Sequence[str]) -> None:
    """Convert; the arguments are SOURCE, POOLING and TARGET."""
    source, pooling, target = arguments
    convert(Path(source), pooling, Path(target))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    main(sys.argv[1:])
