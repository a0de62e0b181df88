"""Reads files, decodes images and prepares them for a model, in a pool of threads beside the model's own."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sidecar.embedding.loader import Loader, Modality
from sidecar.embedding.media.prepared import MediaSource, PreparedMedia


@dataclass(frozen=True, slots=True)
class MediaRules:
    """The operator's limits: which places files may be read from, and how large and slow they may be."""

    roots: tuple[Path, ...] = ()
    allow_private: bool = False
    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 100_000_000
    timeout_seconds: float = 3.0
    threads: int = 20
    exact: bool = False


class MediaReader:
    """Reads files for one sidecar; safe to use from any thread. `close` ends its threads."""

    def __init__(self, rules: MediaRules) -> None:
        self._rules = rules

    def submit(self, loader: Loader, modality: Modality, source: MediaSource) -> Future[PreparedMedia]:
        """`read` in the pool; cancelling the future drops it when it has not begun."""
        raise NotImplementedError

    def read(self, loader: Loader, modality: Modality, source: MediaSource) -> PreparedMedia:
        """Read the file, decode it and prepare its parts for the loader, in the calling thread.

        Raises: MediaError naming the pointer, shortened, and what is wrong.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the threads; what waits is dropped."""
