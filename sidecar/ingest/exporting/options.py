"""What one export is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sidecar.errors import InvalidArgument

STANDARD_OUTPUT = "-"


class ExportFormat(str, Enum):
    """What documents are written as; the value is also the suffix of a folder's files."""

    JSONL = "jsonl"
    JSONL_GZ = "jsonl.gz"
    JSONL_ZST = "jsonl.zst"
    PARQUET = "parquet"


_SUFFIXES = {
    ".jsonl": ExportFormat.JSONL,
    ".ndjson": ExportFormat.JSONL,
    ".jsonl.gz": ExportFormat.JSONL_GZ,
    ".ndjson.gz": ExportFormat.JSONL_GZ,
    ".jsonl.zst": ExportFormat.JSONL_ZST,
    ".ndjson.zst": ExportFormat.JSONL_ZST,
    ".parquet": ExportFormat.PARQUET,
}


@dataclass(frozen=True)
class ExportOptions:
    """``index`` is an index or alias, or a list or pattern of these. ``to`` is a file, a folder (with a slash at its
    end, or there already), a URL of either, or ``-``. ``format`` is told by the name's end where None.

    Documents are those that ``filter``, a filter string of the ``/indexes`` API, or ``query``, in OpenSearch's own
    words, finds; ``limit`` of them at most. Of each, ``fields`` are written, by their dotted paths; all where none are
    given. ``shards_at_once`` are read at a time. What is at the place already is replaced where ``overwrite``.
    """

    index: str
    to: str
    format: ExportFormat | None = None
    with_vectors: bool = False
    fields: tuple[str, ...] = ()
    filter: str | None = None
    query: Mapping[str, Any] | None = None
    limit: int | None = None
    shards_at_once: int = 2
    overwrite: bool = False

    @property
    def is_folder(self) -> bool:
        """True where each shard's documents go into a file of their own."""
        return self.to.endswith("/") or ("://" not in self.to and self.to != STANDARD_OUTPUT and Path(self.to).is_dir())

    def chosen_format(self) -> ExportFormat:
        """The format that is given, or that the name tells.

        Raises: InvalidArgument for a name that tells none, and for Parquet on standard output.
        """
        found = self.format
        if found is None and (self.is_folder or self.to == STANDARD_OUTPUT):
            found = ExportFormat.JSONL
        if found is None:
            found = next((kind for suffix, kind in _SUFFIXES.items() if self.to.lower().endswith(suffix)), None)
        if found is None:
            raise InvalidArgument(
                f"'{self.to}' does not tell the format by its end ({', '.join(_SUFFIXES)}, or / for a folder): "
                "give --format"
            )
        if found is ExportFormat.PARQUET and self.to == STANDARD_OUTPUT:
            raise InvalidArgument("Parquet can't be written to standard output: name a file, or choose --format jsonl")
        return found
