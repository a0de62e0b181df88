"""The newest vectors by the digests of their texts, in a file without a name, which goes with the process."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.ingest.digest_rows import DigestRows

logger = logging.getLogger(__name__)


class VectorFile:
    """Keeps vectors of one model; for one thread at a time. Read and written by calls, not mapped: what is mapped
    counts as memory of the process.

    Where the disk is full, or the file can't be made, a warning says so, and nothing is kept from then on.
    """

    def __init__(self, folder: Path, capacity: int) -> None:
        self._folder = folder
        self._capacity = capacity
        self._rows = DigestRows(capacity)
        self._file: IO[bytes] | None = None
        self._dimensions = 0
        self._is_closed = False

    def find(self, digest: bytes) -> int | None:
        """The row of the digest's vector, until the next `add`; None where it is not kept."""
        return self._rows.find(digest)

    def read(self, rows: Sequence[int]) -> Embeddings:
        """The vectors of rows that `find` gave. Returns: float32, shape (len(rows), dimensions)."""
        vectors = np.empty((len(rows), self._dimensions), dtype=np.float32)
        assert self._file is not None
        for vector, row in zip(vectors, rows, strict=True):
            os.preadv(self._file.fileno(), [vector.data], row * vector.nbytes)
        return vectors

    def add(self, digests: Sequence[bytes], vectors: Embeddings) -> None:
        """Keep the vectors, shape (n, dimensions), of n digests that are not kept yet."""
        if self._is_closed:
            return
        try:
            for digest, vector in zip(digests, np.ascontiguousarray(vectors, dtype=np.float32), strict=True):
                self._write(self._rows.add(digest), vector)
        except OSError as error:
            logger.warning("vectors of equal texts are not kept any more, each is embedded: %s", error)
            self.close()

    def close(self) -> None:
        """Forget all, and free the disk; a second call does nothing."""
        self._is_closed = True
        self._rows = DigestRows(1)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, row: int, vector: Embeddings) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - `close` closes it
            self._dimensions = len(vector)
        if os.pwrite(self._file.fileno(), vector.data, row * vector.nbytes) != vector.nbytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
