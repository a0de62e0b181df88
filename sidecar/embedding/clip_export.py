"""Writes the two towers of a CLIP model as ONNX graphs, with their tokenizer and what a loader must know."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sidecar.embedding.clip_conversion import FACTS_FILE, file_sizes, image_graph, read_converted_clip, text_graph
from sidecar.embedding.clip_probes import PROBE_TEXTS, probe_images
from sidecar.embedding.clip_source import ClipModel
from sidecar.embedding.clip_tokenizer_export import write_tokenizer
from sidecar.embedding.clip_towers import ImageTower, text_tower, with_plain_attention
from sidecar.embedding.graph_export import export_graph
from sidecar.embedding.image_preprocessing import ImagePreprocessing
from sidecar.embedding.loader import Prepared, RunBatch
from sidecar.embedding.loaders.onnx_clip import OnnxClipLoader
from sidecar.embedding.precision_check import least_cosine


def export_clip(clip: ClipModel, target: Path) -> None:
    """Convert the model into ``target``, an existing empty folder. The model's attention is changed for it."""
    facts: dict[str, Any] = {
        "dimensions": clip.dimensions,
        "steps": asdict(clip.steps),
        "tokenizer": asdict(write_tokenizer(clip, target / "tokenizer.json")),
        "image_tokens": clip.image_tokens,
        "precision": "float32",
        "image_cosine": 0.0,
        "text_cosine": 0.0,
    }
    images = torch.from_numpy(_probe_pixels(clip))
    ids = clip.tokenizer(PROBE_TEXTS)
    with torch.inference_mode():
        wanted_images = clip.model.encode_image(images).numpy()
        wanted_texts = clip.model.encode_text(ids).numpy()
    text, facts["has_short_texts"] = text_tower(clip.model)
    axes = {0: "batch", 1: "tokens"} if facts["has_short_texts"] else {0: "batch"}
    _export(text, ids[:2], text_graph(target), axes)
    _export(ImageTower(clip.model), images[:2], image_graph(target), {0: "batch"})
    facts["sizes"] = file_sizes(target)
    write_facts(facts, target)
    facts |= _cosines(target, wanted_images, wanted_texts)
    write_facts(facts, target)


def write_facts(facts: dict[str, Any], target: Path) -> None:
    """Write the facts that make the folder a converted model."""
    (target / FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _cosines(target: Path, images: NDArray[Any], texts: NDArray[Any]) -> dict[str, float]:
    converted = read_converted_clip(target)
    if converted is None:
        raise ValueError("the exporter left no readable graphs")
    loader = OnnxClipLoader(converted, converted.tokenizer.context_length, converted.dimensions)
    pictures, pieces = [loader.prepare_image(image) for image in probe_images()], loader.prepare_text(PROBE_TEXTS)
    return {
        "image_cosine": _least_both_ways(loader.run_image, pictures, images),
        "text_cosine": _least_both_ways(loader.run_text, pieces, texts),
    }


def _least_both_ways(run: RunBatch, prepared: Sequence[Prepared], wanted: NDArray[Any]) -> float:
    """The least cosine, with all inputs in one batch, and with the first and the last alone."""
    alone = np.concatenate([run([prepared[0]]), run([prepared[-1]])])
    return min(least_cosine(wanted, run(prepared)), least_cosine(wanted[[0, -1]], alone))


def _probe_pixels(clip: ClipModel) -> NDArray[np.float32]:
    preprocessing = ImagePreprocessing(clip.steps)
    return preprocessing.normalize([preprocessing.prepare(image) for image in probe_images()])


def _export(tower: torch.nn.Module, example: torch.Tensor, path: Path, axes: dict[int, str]) -> None:
    path.parent.mkdir()
    own_axes = {"input": axes, "vectors": {0: "batch"}}
    with _plain_attention():
        plain = with_plain_attention(tower)
        export_graph(plain, [example], path, inputs=["input"], output="vectors", axes=own_axes)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's fused attention, which the exporter has no form for."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
