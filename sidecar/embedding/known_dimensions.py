"""The dimensions of a model's vectors, as far as small files on this machine tell them, without the weights."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from sidecar.embedding.clip_weights import CONFIG_FILE, HUB_PREFIX
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import read_table
from sidecar.embedding.weights import is_folder, local_path, package_folder

_POOLING_MODES = (
    "pooling_mode_cls_token",
    "pooling_mode_max_tokens",
    "pooling_mode_mean_tokens",
    "pooling_mode_mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens",
    "pooling_mode_lasttoken",
)
_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd")
"""What configurations of transformers call the width of an encoder's last layer."""


def known_dimensions(spec: ModelSpec) -> int | None:
    """The dimensions of the model's vectors; None where they show only when it is loaded.

    Takes milliseconds. Pass the result to `sidecar.embedding.load.check_dimensions`.
    """
    if spec.loader in CLIP_KINDS:
        return _of_clip(spec)
    # The test models are cut short.
    return _of_text(spec) if spec.loader in TEXT_KINDS and spec.loader != "test" and not spec.location else None


def _of_text(spec: ModelSpec) -> int | None:
    known = _table_dimensions().get((spec.loader, spec.repository))
    if known is not None:
        return known
    folder = _folder(spec.repository)
    if folder is None:
        return None
    if spec.loader != "hf" and (folder / "modules.json").is_file():
        return _of_modules(folder)
    return _of_config(folder / "config.json")


@lru_cache(maxsize=1)
def _table_dimensions() -> dict[tuple[str, str], int]:
    return {(spec.loader, spec.repository): spec.dimensions for spec in read_table().values() if spec.loader != "test"}


def _of_clip(spec: ModelSpec) -> int | None:
    location = orjson.loads(spec.location) if spec.location else {}
    folder = local_path(location["path"]) if "path" in location else None
    if folder is not None and is_folder(folder) and (folder / CONFIG_FILE).is_file():
        return _of_open_clip_config(folder / CONFIG_FILE)
    if spec.repository.startswith(HUB_PREFIX):
        file = _cached(spec.repository.removeprefix(HUB_PREFIX), CONFIG_FILE)
        return None if file is None else _of_open_clip_config(file)
    module = importlib.util.find_spec("open_clip")
    if module is None or module.origin is None:
        return None
    architecture = spec.repository.partition("/")[0]
    return _whole(_read(Path(module.origin).parent / "model_configs" / f"{architecture}.json").get("embed_dim"))


def _of_open_clip_config(path: Path) -> int | None:
    model = _read(path).get("model_cfg")
    return _whole(model.get("embed_dim")) if isinstance(model, dict) else None


def _folder(repository: str) -> Path | None:
    """Where the model's small files lie; its weights may be missing."""
    path = local_path(repository)
    if is_folder(path):
        return path
    config = _cached(repository, "config.json")
    return package_folder(repository) if config is None else config.parent


def _cached(repository: str, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        file = try_to_load_from_cache(repository, name)
    except HFValidationError:
        return None
    return Path(file) if isinstance(file, str) else None


def _of_modules(folder: Path) -> int | None:
    """By the last of a sentence-transformers model's modules that sets a width."""
    width = _of_config(folder / "config.json")
    for module in _read_list(folder / "modules.json"):
        kind = str(module.get("type", "")).rpartition(".")[2]
        config = _read(folder / str(module.get("path", "")) / "config.json")
        if kind == "Dense":
            width = _whole(config.get("out_features"))
        elif kind == "Pooling":
            width = _of_pooling(config)
        elif kind not in ("Transformer", "Normalize"):
            return None
    return width


def _of_pooling(config: dict[str, Any]) -> int | None:
    width = _whole(config.get("word_embedding_dimension") or config.get("embedding_dimension"))
    mode = config.get("pooling_mode") or [key for key in _POOLING_MODES if config.get(key)]
    modes = [mode] if isinstance(mode, str) else mode
    return width * len(modes) if width is not None and modes else None


def _of_config(path: Path) -> int | None:
    config = _read(path)
    return next((width for key in _WIDTHS if (width := _whole(config.get(key))) is not None), None)


def _read(path: Path) -> dict[str, Any]:
    value = _parsed(path)
    return value if isinstance(value, dict) else {}


def _read_list(path: Path) -> list[dict[str, Any]]:
    value = _parsed(path)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _parsed(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        # What can't be read here is told, with its reason, when the model is loaded.
        return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
