"""Converts one cross-encoder to ONNX: ``python -m sidecar.embedding.convert_cross_encoder SOURCE TARGET``.

Writes ``model.onnx`` (token ids of pairs in, scores before the sigmoid out), ``tokenizer.json`` and ``facts.json`` to
TARGET. The facts hold the largest difference between ONNX Runtime's and torch's results over probe pairs of many
lengths and scripts.
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
from sentence_transformers import CrossEncoder

from sidecar.embedding.conversion import FACTS, GRAPH, TOKENIZER
from sidecar.embedding.conversion_run import UNREADABLE_STATUS
from sidecar.embedding.convert_text import PROBE_TEXTS, save_tokenizer
from sidecar.embedding.cross_encoder_conversion import read_converted_cross_encoder
from sidecar.embedding.graph_export import export_graph
from sidecar.embedding.loader import run_in_batches
from sidecar.embedding.loaders.onnx_cross_encoder import OnnxCrossEncoder
from sidecar.embedding.precision_files import graph_bytes
from sidecar.embedding.rerankers import MAX_PAIR_TOKENS
from sidecar.embedding.torch_cross_encoder import logits_of, open_cross_encoder, transformer_of

_QUERIES = (PROBE_TEXTS[3], PROBE_TEXTS[-4], PROBE_TEXTS[4])
"""A question, a long text, and one of many scripts."""


class ScoringModel(torch.nn.Module):
    """The model as one function of its token arrays."""

    def __init__(self, model: torch.nn.Module, inputs: list[str]) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs

    def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.inputs, arrays, strict=True))).logits
        return logits


def convert(source: Path, target: Path) -> None:
    """Convert the model in ``source`` into ``target``, an existing empty folder."""
    try:
        # Eager attention gives the graph that ONNX Runtime runs faster.
        model = open_cross_encoder(source, MAX_PAIR_TOKENS, attention="eager")
    except Exception as error:
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        sys.exit(UNREADABLE_STATUS)
    tokenizer = model.tokenizer
    save_tokenizer(tokenizer, target / TOKENIZER)
    _export(model, target / GRAPH)
    facts: dict[str, Any] = {
        "max_tokens": int(tokenizer.model_max_length),
        "graph_bytes": graph_bytes(target / GRAPH),
        "tokenizer_bytes": (target / TOKENIZER).stat().st_size,
        "difference": 0.0,
    }
    facts_path = target / FACTS
    facts_path.write_text(json.dumps(facts), encoding="utf-8")
    facts["difference"] = _difference(source, target)
    facts_path.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _export(model: CrossEncoder, path: Path) -> None:
    pairs = [["one", "a text"], ["two", "a longer text of several tokens"]]
    encoded = model.tokenizer(pairs, padding=True, return_tensors="pt")
    inputs = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in encoded]
    axes = {name: {0: "batch", 1: "tokens"} for name in inputs} | {"logits": {0: "batch"}}
    module = ScoringModel(transformer_of(model), inputs)
    export_graph(module, [encoded[name] for name in inputs], path, inputs=inputs, output="logits", axes=axes)


def _difference(source: Path, target: Path) -> float:
    """The largest difference of the graph's results to torch's, one pair at a time and in batches."""
    converted = read_converted_cross_encoder(target)
    if converted is None:
        raise ValueError("the exporter left no readable graph")
    reference = open_cross_encoder(source, MAX_PAIR_TOKENS)
    scorer = OnnxCrossEncoder(converted, MAX_PAIR_TOKENS)
    differences = []
    for q in _QUERIES:
        wanted = logits_of(reference, [(q, text) for text in PROBE_TEXTS])
        prepared = scorer.prepare_pairs(q, PROBE_TEXTS)
        together = run_in_batches(scorer.run_logits, prepared, 1)
        alone = np.concatenate([scorer.run_logits([one]) for one in prepared])
        differences += [np.abs(found - wanted).max() for found in (together, alone)]
    return float(max(differences))


def main(arguments: Sequence[str]) -> None:
    """Convert; the arguments are SOURCE and TARGET."""
    source, target = arguments
    convert(Path(source), Path(target))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    main(sys.argv[1:])
