"""Finds the files of a model: a local folder, the Hugging Face cache, an installed weights package, the hub."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sidecar.errors import ModelLoadError

logger = logging.getLogger(__name__)

_NOT_NEEDED = [
    "*.onnx",
    "*.onnx_data",
    "onnx/*",
    "openvino/*",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.tflite",
    "*.gguf",
]
"""Files of a hub repository that are the same weights for other libraries."""
_WEIGHT_SUFFIXES = {".safetensors", ".bin"}


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder with a model's files. ``revision`` changes when the files do; it is a file name's worth of letters."""

    folder: Path
    revision: str


def find_weights(repository: str, *, token: str | None = None) -> Weights:
    """The files of the repository or local folder; downloads them from the hub when no other place has them.

    ``token`` is the hub's, for a private repository; None is that of the machine, if any.
    Raises: ModelLoadError naming every place that was looked at.
    """
    looked: list[str] = []
    found = find_local_weights(repository, looked)
    if found is not None:
        return found
    if is_path(repository):
        raise ModelLoadError(
            f"model files not found: {'; '.join(looked)}. Give a folder that holds the model's config.json and weights"
        )
    return _from_hub(repository, looked, token)


def find_local_weights(repository: str, looked: list[str] | None = None) -> Weights | None:
    """As `find_weights`, without the hub; None when nothing on this machine has the files.

    ``looked`` gets a phrase for each place that did not have them.
    """
    notes = looked if looked is not None else []
    if is_path(repository) or is_folder(Path(repository)):
        return _from_folder(local_path(repository), notes)
    return _from_hub_cache(repository, notes) or _from_package(repository, notes)


def hub_cache_folder() -> Path:
    """Where the hub's library keeps what it has fetched."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def local_path(text: str) -> Path:
    """What the text names on this machine; ``~`` is the home folder of the sidecar's user, or of one named there."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no such user
        return Path(text)


def is_folder(path: Path) -> bool:
    """True for a folder; False also for what can be no path at all."""
    try:
        return path.is_dir()
    except OSError:  # too long
        return False


def is_path(repository: str) -> bool:
    """True for what names a folder of this machine, and no repository of the hub."""
    return repository.startswith(("/", "./", "../", "~"))


def _from_folder(folder: Path, looked: list[str]) -> Weights | None:
    missing = _missing(folder)
    if missing:
        looked.append(f"folder {folder} {missing}")
        return None
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            facts = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return Weights(folder, digest.hexdigest())


def _from_hub_cache(repository: str, looked: list[str]) -> Weights | None:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        looked.append(f"not in the Hugging Face cache {constants.HF_HUB_CACHE}")
        return None
    missing = _missing(folder)
    if missing:
        looked.append(f"the Hugging Face cache's {folder} {missing}")
        return None
    return Weights(folder, folder.name[:16])


def _missing(folder: Path) -> str | None:
    """What keeps the folder from being a model's, as the end of a sentence; other tools leave half a model in caches.

    None where nothing is missing.
    """
    if not is_folder(folder):
        return "is not there"
    if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
        return "has no config.json"
    if not any(path.suffix in _WEIGHT_SUFFIXES and path.is_file() for path in folder.rglob("*")):
        return "has no weights (*.safetensors or *.bin)"
    return None


def package_folder(repository: str) -> Path | None:
    """The model's folder in an installed weights package; None where there is none."""
    weights = _from_package(repository, [])
    return None if weights is None else weights.folder


def _from_package(repository: str, looked: list[str]) -> Weights | None:
    text = resources.files("sidecar.embedding").joinpath("weights_packages.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if row["repository"] != repository:
            continue
        module = importlib.util.find_spec(row["module"])
        if module is None or module.origin is None:
            looked.append(f"the Python package {row['distribution']}, which holds it, is not installed")
            continue
        version = importlib.metadata.version(row["distribution"])
        return Weights(Path(module.origin).parent / row["folder"], f"{row['distribution']}-{version}")
    return None


def hub_file(repository: str, names: Sequence[str], *, token: str | None = None) -> Path:
    """One file of a hub repository, the first of the names that it has: from the cache, else from the hub.

    Raises: ModelLoadError naming what was looked for, and where.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in names:
        try:
            cached = try_to_load_from_cache(repository, name)
        except ValueError as error:
            raise ModelLoadError(f"{repository!r} can't be a repository of the hub: {error}") from error
        if isinstance(cached, str):
            return Path(cached)
    logger.info("downloading model file repository=%s", repository)
    for name in names:
        try:
            return Path(hf_hub_download(repository, name, token=token))
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):
                raise _hub_refused(repository, [], error) from error
        except Exception as error:
            raise _hub_refused(repository, [], error) from error
    raise ModelLoadError(f"the hub's repository {repository!r} has no file {' or '.join(names)}. Name it by 'filename'")


def _from_hub(repository: str, looked: list[str], token: str | None) -> Weights:
    from huggingface_hub import snapshot_download

    logger.info("downloading model files repository=%s", repository)
    try:
        folder = Path(snapshot_download(repository, ignore_patterns=_NOT_NEEDED, token=token))
    except Exception as error:
        raise _hub_refused(repository, looked, error) from error
    missing = _missing(folder)
    if missing:
        looked.append(f"what the Hugging Face hub gave, {folder}, {missing}")
        raise ModelLoadError(f"model {repository!r} can't be had: {'; '.join(looked)}")
    return Weights(folder, folder.name[:16])


def _hub_refused(repository: str, looked: list[str], error: Exception) -> ModelLoadError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    looked.append(f"the Hugging Face hub did not give it ({type(error).__name__}: {reason})")
    return ModelLoadError(
        f"model {repository!r} can't be had: {'; '.join(looked)}. Check the name, the network and HF_TOKEN (or the "
        "token in modelAuth.hf), or name a local folder by 'localpath' in model_properties"
    )
