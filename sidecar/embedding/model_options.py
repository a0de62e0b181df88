"""The properties that only one kind of model has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sidecar.embedding.kinds import ENDPOINT, LOADERS
from sidecar.embedding.loader import MAX_BATCH_TEXTS
from sidecar.embedding.model_locations import LOCATION_KEYS, check_url
from sidecar.errors import InvalidArgument

TEXT_KINDS = ("sbert", "hf", "sbert_onnx", "test")
CLIP_KINDS = ("clip", "open_clip", "clip_onnx", "fp16_clip")
PROTOCOLS = ("openai", "tei")

_MATRYOSHKA = "matryoshka"
_ENDPOINT_OPTIONS = ("protocol", "timeout", "batch_size", "retries")
_CLIP_OPTIONS = ("mean", "std", "tokenizer", "image_size")
OPTION_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(TEXT_KINDS, (_MATRYOSHKA,)),
    **dict.fromkeys(CLIP_KINDS, (*_CLIP_OPTIONS, "jit", _MATRYOSHKA)),
    ENDPOINT: ("url", *_ENDPOINT_OPTIONS, _MATRYOSHKA),
}
"""Kind of model -> the keys that it has beside those of all."""

_KEPT = (*_ENDPOINT_OPTIONS, *_CLIP_OPTIONS, _MATRYOSHKA)
SHARED_KEYS = (
    "name",
    "dimensions",
    "type",
    "tokens",
    "model_size",
    "text_query_prefix",
    "text_chunk_prefix",
    "precision",
)
"""The keys of all kinds of models; ``precision`` of all but endpoints and what needs no weights."""


def read_options(kind: str, where: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the model. A plug-in's are all properties that it does not share with others, as they are.

    ``jit`` is checked and has no effect: what it did for speed, ONNX Runtime does. A null counts as not given.
    Raises: InvalidArgument, starting with ``where``.
    """
    if kind not in LOADERS:
        return {key: value for key, value in properties.items() if key not in (*SHARED_KEYS, *LOCATION_KEYS)}
    keys = [key for key in OPTION_KEYS.get(kind, ()) if properties.get(key) is not None]
    for key in keys:
        rule, holds = _RULES.get(key, ("", lambda value: True))
        if not holds(properties[key]):
            raise InvalidArgument(f"{where}: {key!r} must be {rule}, given: {properties[key]!r}")
    if kind == ENDPOINT:
        check_url(where, properties.get("url"))
    options = {key: properties[key] for key in keys if key in _KEPT}
    return {key: value for key, value in options.items() if value is not False}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_colour(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))


_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "protocol": (f"one of {', '.join(PROTOCOLS)}", lambda value: value in PROTOCOLS),
    "timeout": ("seconds above 0, at most 600", lambda value: _is_number(value) and 0 < value <= 600),
    "batch_size": (f"1 to {MAX_BATCH_TEXTS}", lambda value: _is_whole(value, 1, MAX_BATCH_TEXTS)),
    "retries": ("0 to 10", lambda value: _is_whole(value, 0, 10)),
    "mean": ("three numbers, for red, green and blue", _is_colour),
    "std": (
        "three numbers above 0, for red, green and blue",
        lambda value: _is_colour(value) and all(number > 0 for number in value),
    ),
    "tokenizer": (
        "'clip' or the name of a tokenizer on the hub",
        lambda value: isinstance(value, str) and value != "",
    ),
    "image_size": ("1 to 4096, in pixels", lambda value: _is_whole(value, 1, 4096)),
    "jit": ("true or false", lambda value: isinstance(value, bool)),
    _MATRYOSHKA: ("true or false", lambda value: isinstance(value, bool)),
}
