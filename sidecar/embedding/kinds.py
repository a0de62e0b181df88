"""The kinds of models there are: a file under `loaders/` and a line here each, or a plug-in.

A plug-in is an installed Python package with an entry point in the group ``sidecar.loaders``: its name is the kind, its
object a `sidecar.embedding.load.LoadModel`.
"""

from __future__ import annotations

import importlib.metadata
from functools import lru_cache

ENTRY_POINTS = "sidecar.loaders"
NO_MODEL = "no_model"
ENDPOINT = "endpoint"

LOADERS = {
    "sbert": "sidecar.embedding.loaders.text:load_sbert",
    "hf": "sidecar.embedding.loaders.text:load_hf",
    "sbert_onnx": "sidecar.embedding.loaders.text:load_onnx",
    "clip": "sidecar.embedding.loaders.clip:load_clip",
    "open_clip": "sidecar.embedding.loaders.clip:load_clip",
    "clip_onnx": "sidecar.embedding.loaders.clip:load_clip_onnx",
    "fp16_clip": "sidecar.embedding.loaders.clip:load_clip",
    "random": "sidecar.embedding.loaders.random:load",
    "test": "sidecar.embedding.loaders.text:load_sbert",
    ENDPOINT: "sidecar.embedding.loaders.endpoint:load",
    NO_MODEL: "sidecar.embedding.loaders.no_model:load",
}
"""Kind of model -> module and function; the module is imported when the first model of its kind is loaded."""

RERANKERS = {
    "cross_encoder": "sidecar.embedding.loaders.cross_encoder:load",
    "cross_encoder_onnx": "sidecar.embedding.loaders.cross_encoder:load_onnx",
    "owl_vit": "sidecar.embedding.loaders.owl_vit:load",
    "random_pairs": "sidecar.embedding.loaders.random_pairs:load",
}
"""The same for the kinds that order hits anew. No index can have them: they embed nothing."""


@lru_cache
def plugins() -> dict[str, importlib.metadata.EntryPoint]:
    """The installed plug-ins: kind of model -> entry point. A plug-in can't take the place of a kind of our own."""
    own = LOADERS | RERANKERS
    found = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: point for point in found if point.name not in own}


def property_types() -> tuple[str, ...]:
    """What may stand as ``type`` in model properties: the kinds of `LOADERS`, then those of plug-ins."""
    return (*LOADERS, *plugins())


def runs_here(kind: str) -> bool:
    """Whether a model of that kind runs in this process even where another sidecar runs the others."""
    return kind in ("random", ENDPOINT, NO_MODEL) or kind not in LOADERS
