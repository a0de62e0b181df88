"""Embeddings of earlier evaluations, in files: equal content is embedded once for each model and chunking."""

from __future__ import annotations

import time
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument
from sidecar.opensearch.bulk_actions import FieldEmbedding


@dataclass(frozen=True, slots=True)
class _Segment:
    """The embeddings of some contents, one file. ``starts`` has the first row of each content in ``spans`` and
    ``vectors``, and the number of rows at its end."""

    digests: NDArray[np.str_]
    hashes: NDArray[np.str_]
    starts: NDArray[np.int64]
    spans: NDArray[np.int64]
    vectors: Embeddings

    def embedding(self, place: int) -> FieldEmbedding:
        rows = slice(int(self.starts[place]), int(self.starts[place + 1]))
        spans = [(int(start), int(end)) for start, end in self.spans[rows]]
        return FieldEmbedding(self.vectors[rows], spans, str(self.hashes[place]) or None)


class EmbeddingCache:
    """The embeddings of one model and chunking, by the digests of contents; of two for one content the newer counts.

    Each `add` makes a file, which appears when it is whole; several processes may add.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: list[_Segment] = []
        self._places: dict[str, tuple[int, int]] = {}
        for path in sorted(folder.glob("*.npz")):
            self._take(_read(path))

    def __contains__(self, digest: object) -> bool:
        return digest in self._places

    def find(self, digest: str) -> FieldEmbedding | None:
        """The chunks of the content, with float32 vectors; None where it is not kept."""
        found = self._places.get(digest)
        return None if found is None else self._segments[found[0]].embedding(found[1])

    def add(self, embeddings: Mapping[str, FieldEmbedding]) -> None:
        """Keep these, by the digests of their contents."""
        if not embeddings:
            return
        parts = list(embeddings.values())
        segment = _Segment(
            digests=np.array(list(embeddings)),
            hashes=np.array([part.content_hash or "" for part in parts]),
            starts=np.cumsum([0, *(len(part.spans) for part in parts)]),
            spans=np.array([span for part in parts for span in part.spans], dtype=np.int64).reshape(-1, 2),
            vectors=np.concatenate([np.asarray(part.vectors, dtype=np.float32) for part in parts]),
        )
        self._write(segment)
        self._take(segment)

    def _take(self, segment: _Segment) -> None:
        number = len(self._segments)
        self._segments.append(segment)
        self._places |= {str(digest): (number, place) for place, digest in enumerate(segment.digests)}

    def _write(self, segment: _Segment) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{time.time_ns():020}-{uuid.uuid4().hex}.part"
        try:
            with part.open("wb") as file:
                np.savez(file, **{field: getattr(segment, field) for field in _Segment.__slots__})
            part.replace(part.with_suffix(".npz"))
        finally:
            part.unlink(missing_ok=True)


def _read(path: Path) -> _Segment:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _Segment(**{field: arrays[field] for field in _Segment.__slots__})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidArgument(f"The kept embeddings in {path} can't be read ({error}): delete the file.") from error
