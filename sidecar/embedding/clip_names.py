"""The names of CLIP models beyond the table: any pair of architecture and weights that open_clip knows."""

from __future__ import annotations

import re
from functools import lru_cache

from sidecar.embedding.model_spec import ModelSpec, Precision

DEFAULT_CONTEXT_LENGTH = 77
"""Tokens of a text, where open_clip's configuration does not say otherwise."""

_NAME = re.compile(r"(?:(?P<form>onnx32|onnx16|fp16)/)?(?:(?P<family>open_clip|openai)/)?(?P<rest>.+)")
_FORMS: dict[str | None, tuple[str, Precision]] = {
    None: ("open_clip", "float32"),
    "onnx32": ("clip_onnx", "float32"),
    "onnx16": ("clip_onnx", "float16"),
    "fp16": ("fp16_clip", "float16"),
}
_FAMILIES = {(None, "open_clip"), ("onnx32", "open_clip"), ("onnx16", "open_clip")} | {
    ("onnx32", "openai"),
    ("onnx16", "openai"),
    ("fp16", None),
}
"""The pairs of form and family that names have; OpenAI's plain names are all in the table."""


@lru_cache(maxsize=1024)
def clip_spec(name: str) -> ModelSpec | None:
    """The model of a name as ``open_clip/ARCHITECTURE/TAG``, ``onnx16/open_clip/...``, ``onnx32/openai/NAME`` or
    ``fp16/NAME``, where open_clip has such weights; None for any other name.

    open_clip is imported for a name that has the form, which takes seconds the first time.
    """
    match = _NAME.fullmatch(name)
    if match is None or (match["form"], match["family"]) not in _FAMILIES:
        return None
    architecture, _, tag = match["rest"].partition("/")
    if match["family"] != "open_clip":
        architecture, tag = openai_architecture(match["rest"]), "openai"
    import open_clip

    if (architecture, tag) not in open_clip.list_pretrained():
        return None
    config = open_clip.get_model_config(architecture)
    loader, precision = _FORMS[match["form"]]
    return ModelSpec(
        name=name,
        loader=loader,
        repository=f"{architecture}/{tag}",
        dimensions=int(config["embed_dim"]),
        max_tokens=int(config["text_cfg"].get("context_length", DEFAULT_CONTEXT_LENGTH)),
        precision=precision,
    )


def openai_architecture(name: str) -> str:
    """open_clip's name for one of OpenAI's: ``ViT-L-14-336`` for ``ViT-L/14@336px``."""
    return name.replace("/", "-").replace("@336px", "-336")
