"""Makes the float16 form of a converted CLIP model: 16-bit weights, the same arithmetic; torch is not needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from sidecar.embedding.clip_conversion import FACTS_FILE, file_sizes, image_graph, read_converted_clip, text_graph
from sidecar.embedding.clip_probes import PROBE_TEXTS, probe_images
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.onnx_clip import OnnxClipLoader
from sidecar.embedding.precision_check import least_cosine
from sidecar.embedding.precision_float16 import store_as_float16


def convert_to_float16(source: Path, target: Path) -> None:
    """Write the model of the folder ``source`` to ``target``, an existing empty folder."""
    images, texts = _vectors(source)
    for graph in (image_graph, text_graph):
        graph(target).parent.mkdir()
        store_as_float16(graph(source), graph(target))
    shutil.copy(source / "tokenizer.json", target)
    facts = json.loads((source / FACTS_FILE).read_text(encoding="utf-8"))
    facts |= {"precision": "float16", "sizes": file_sizes(target)}
    (target / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    own_images, own_texts = _vectors(target)
    facts |= {"image_cosine": least_cosine(images, own_images), "text_cosine": least_cosine(texts, own_texts)}
    (target / FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _vectors(folder: Path) -> tuple[Embeddings, Embeddings]:
    converted = read_converted_clip(folder)
    if converted is None:
        raise ValueError(f"the model in {folder} is not complete")
    loader = OnnxClipLoader(converted, converted.tokenizer.context_length, converted.dimensions)
    return loader.encode_image(probe_images()), loader.encode_text(PROBE_TEXTS)
