"""The state of the folders that keep converted and downloaded models: what is whole, broken, or was left half-made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.embedding.clip_conversion import read_converted_clip
from sidecar.embedding.conversion import read_converted
from sidecar.embedding.cross_encoder_conversion import read_converted_cross_encoder


@dataclass(frozen=True, slots=True)
class CacheSurvey:
    """The folders of converted models: those that are whole, and those that have not all their files. ``left_over``
    are folders of conversions and downloads that were broken off, which nobody works in."""

    whole: tuple[Path, ...]
    broken: tuple[Path, ...]
    left_over: tuple[Path, ...]


def survey(models_folder: Path, downloads: Path) -> CacheSurvey:
    """Look at both folders; nothing is changed. Raises: OSError where one can't be read."""
    forms = [form for base in _folders(models_folder) for form in _folders(base) if form.name[0] != "."]
    whole = [form for form in forms if _is_whole(form)]
    return CacheSurvey(
        whole=tuple(whole),
        broken=tuple(form for form in forms if form not in whole),
        left_over=(*_left_conversions(models_folder), *_left_downloads(downloads)),
    )


def folder_bytes(folder: Path) -> int:
    """The size of all files in the folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _is_whole(form: Path) -> bool:
    if form.parent.name.startswith("clip-"):
        return read_converted_clip(form) is not None
    if form.parent.name.startswith("cross-encoder-"):
        return read_converted_cross_encoder(form) is not None
    return read_converted(form) is not None


def _left_conversions(models_folder: Path) -> Iterator[Path]:
    for base in _folders(models_folder):
        left = [folder for folder in _folders(base) if folder.name.startswith(".converting-")]
        if left and not _is_held(base / ".lock"):
            yield from left


def _left_downloads(downloads: Path) -> Iterator[Path]:
    for folder in _folders(downloads):
        name = folder.name[1:].rpartition("-")[0]
        if folder.name[0] == "." and not _is_held(downloads / f"{name}.lock"):
            yield folder


def _is_held(lock: Path) -> bool:
    """Whether a process works under the lock now."""
    if not lock.exists():
        return False
    try:
        with FileLock(lock, blocking=False):
            return False
    except (Timeout, PermissionError):
        return True
