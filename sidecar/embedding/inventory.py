"""What there is of each model: how large it is, which of its files are on this machine, and in which forms."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from sidecar.embedding.conversion_run import slug
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.weights import find_local_weights

_WEIGHT_SUFFIXES = {".safetensors", ".bin", ".pt"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One model's files. ``weights`` is the folder on this machine that has them, None where none has;
    ``converted`` are the folders of its converted forms."""

    weights: Path | None
    weights_bytes: int
    converted: tuple[Path, ...]
    converted_bytes: int


@dataclass(frozen=True, slots=True)
class _Weights:
    hub_repository: str
    parameters_millions: float


def parameters_millions(spec: ModelSpec) -> float | None:
    """Parameters of the model, in millions; None for models outside the table."""
    known = _known_weights().get(spec.repository)
    return known.parameters_millions if known else None


def hub_repository(spec: ModelSpec) -> str:
    """Where on the hub the model's weights are, as far as the table knows; its own repository otherwise."""
    known = _known_weights().get(spec.repository)
    return known.hub_repository if known else spec.repository


def files_on_disk(spec: ModelSpec, models_folder: Path) -> ModelFiles:
    """The model's files on this machine; nothing is downloaded. ``models_folder`` keeps the converted forms."""
    weights = _weights_folder(spec)
    converted = _converted_folders(spec, models_folder)
    return ModelFiles(
        weights=weights,
        weights_bytes=_weight_bytes(weights) if weights else 0,
        converted=converted,
        converted_bytes=sum(_size(folder) for folder in converted),
    )


def hub_is_offline() -> bool:
    """Whether nothing may be fetched from the hub (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


@lru_cache
def _known_weights() -> Mapping[str, _Weights]:
    text = resources.files("sidecar.embedding").joinpath("model_weights.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["repository"]: _Weights(row["hub_repository"], float(row["parameters_millions"])) for row in rows}


def _weights_folder(spec: ModelSpec) -> Path | None:
    if spec.loader in TEXT_KINDS:
        found = find_local_weights(spec.repository)
        return found.folder if found else None
    return _hub_snapshot(hub_repository(spec)) if spec.loader in CLIP_KINDS else None


def _hub_snapshot(repository: str) -> Path | None:
    from huggingface_hub import constants

    snapshots = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    folders = sorted(snapshots.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((folder for folder in folders if _weight_bytes(folder)), None)


def _converted_folders(spec: ModelSpec, models_folder: Path) -> tuple[Path, ...]:
    if spec.loader in CLIP_KINDS:
        bases = [f"clip-{slug(spec.repository)}"]
    elif spec.loader in TEXT_KINDS:
        bases = [f"{slug(spec.repository)}-{'mean' if spec.loader == 'hf' else 'sbert'}"]
    else:
        return ()
    found = [folder for base in bases for folder in models_folder.glob(f"{base}/[!.]*") if folder.is_dir()]
    return tuple(sorted(found))


def _weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.suffix in _WEIGHT_SUFFIXES)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
