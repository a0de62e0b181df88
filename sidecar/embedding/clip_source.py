"""Builds CLIP models with open_clip, in torch, on the processor, in float32."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from huggingface_hub import constants
from open_clip.pretrained import download_pretrained, get_pretrained_cfg
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

from sidecar.embedding.clip_archive import is_archive, read_archive
from sidecar.embedding.clip_weights import FOLDER_PREFIX, HUB_PREFIX, ClipSource
from sidecar.embedding.foreign_code import NO_CODE
from sidecar.embedding.image_preprocessing import ImageSteps

RESNET_TOKENS = 64
_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask")
"""What OpenAI's archives have beside their tensors."""


class ClipUnreadable(Exception):
    """The model can't be built; the message, a part of a sentence, says what was looked at and what is wrong."""


@dataclass(frozen=True, slots=True)
class ClipModel:
    """A model ready to run, its picture steps, and open_clip's own tokenizer for it.

    ``image_tokens`` is what a picture costs: its patches, or about as much in a tower that has none.
    """

    model: Any
    steps: ImageSteps
    tokenizer: Any
    dimensions: int
    image_tokens: int


def open_clip_model(source: ClipSource) -> ClipModel:
    """Build the model and load its weights, which are downloaded where no cache has them.

    Models never run code: pickles are read for their tensors alone, tokenizers have the libraries' own classes. The
    activation is what the weights were trained with, which for many tags is not what the architecture's own
    configuration says.
    Raises: ClipUnreadable.
    """
    name, weights, quick_gelu = _identify(source)
    with warnings.catch_warnings():
        # open_clip warns of the activation whatever is done about it.
        warnings.simplefilter("ignore")
        try:
            model = _create(source, name, weights, quick_gelu)
            tokenizer = _tokenizer(source, name)
        except Exception as error:
            raise ClipUnreadable(f"{weights or name}: {type(error).__name__}: {_first_line(error)}") from error
    model = model.eval().requires_grad_(False)
    return ClipModel(model, _steps(model), tokenizer, _dimensions(model, tokenizer), _image_tokens(model))


def _identify(source: ClipSource) -> tuple[str, str, bool]:
    """open_clip's name for the model, its checkpoint or tag (empty where the name says it), and if it has QuickGELU."""
    path = Path(source.path)
    if source.path and path.is_dir():
        return f"{FOLDER_PREFIX}{path}", "", False
    if source.repository.startswith(HUB_PREFIX):
        return source.repository, "", False
    architecture, _, tag = source.repository.partition("/")
    if open_clip.get_model_config(architecture) is None:
        raise ClipUnreadable(f"open_clip {open_clip.__version__} knows no architecture {architecture!r}")
    if source.path:
        return architecture, source.path, source.is_openai or is_archive(path)
    config = get_pretrained_cfg(architecture, tag)
    if not config:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise ClipUnreadable(
            f"open_clip {open_clip.__version__} knows no weights {tag!r} of {architecture}; it knows: {known}"
        )
    _fetch(config)
    return architecture, tag, bool(config.get("quick_gelu", False))


def _fetch(config: dict[str, Any]) -> None:
    try:
        download_pretrained(config)
    except Exception as error:
        place = str(config.get("hf_hub") or config.get("url")).strip("/")
        raise ClipUnreadable(
            f"the weights {place} are not in the Hugging Face cache {constants.HF_HUB_CACHE}, and the hub did not give "
            f"them ({_first_line(error)})"
        ) from error


def _create(source: ClipSource, name: str, weights: str, quick_gelu: bool) -> torch.nn.Module:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    archive = Path(weights) if source.path and weights and is_archive(Path(weights)) else None
    try:
        model: torch.nn.Module = open_clip.create_model(
            name,
            pretrained=weights if weights and archive is None else None,
            force_quick_gelu=quick_gelu,
            force_image_size=source.image_size,
            force_preprocess_cfg={"mean": source.mean, "std": source.std},
            pretrained_text=False,
            require_pretrained=archive is None,
            weights_only=True,
        )
    finally:
        logging.disable(before)
    if archive is not None:
        weights_by_name = read_archive(archive)
        model.load_state_dict({key: value for key, value in weights_by_name.items() if key not in _NOT_WEIGHTS})
    return model


def _tokenizer(source: ClipSource, name: str) -> Any:
    config = (open_clip.get_model_config(name) or {}).get("text_cfg", {})
    if source.tokenizer is None:
        # The model's configuration may have options for transformers, of which these are set whatever it says.
        return open_clip.get_tokenizer(name, **(NO_CODE if config.get("hf_tokenizer_name") else {}))
    length = config.get("context_length", open_clip.factory.DEFAULT_CONTEXT_LENGTH)
    if source.tokenizer == "clip":
        return SimpleTokenizer(context_length=length)
    return HFTokenizer(source.tokenizer, context_length=length, **NO_CODE)


def _steps(model: Any) -> ImageSteps:
    config = model.visual.preprocess_cfg
    size = config["size"]
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    return ImageSteps(
        height=int(height),
        width=int(width),
        mean=_colour(config["mean"]),
        std=_colour(config["std"]),
        interpolation="bilinear" if config["interpolation"] == "bilinear" else "bicubic",
        resize_mode=config["resize_mode"] or "shortest",
        fill_color=int(config["fill_color"]),
    )


def _colour(value: Any) -> tuple[float, float, float]:
    red, green, blue = (value,) * 3 if isinstance(value, (int, float)) else value
    return float(red), float(green), float(blue)


def _dimensions(model: Any, tokenizer: Any) -> int:
    with torch.inference_mode():
        return int(model.encode_text(tokenizer(["dimensions"])).shape[1])


def _image_tokens(model: Any) -> int:
    grid = getattr(model.visual, "grid_size", None)
    return int(grid[0] * grid[1]) + 1 if grid is not None else RESNET_TOKENS


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__
