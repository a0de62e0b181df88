"""Hugging Face caches as downloads leave them."""

from __future__ import annotations

from pathlib import Path


def put_into_cache(cache: Path, repository: str, files: dict[str, bytes]) -> Path:
    """Lay files into a Hugging Face cache as one revision of a repository."""
    commit = "0123456789abcdef" * 2 + "01234567"
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    folder = root / "snapshots" / commit
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
