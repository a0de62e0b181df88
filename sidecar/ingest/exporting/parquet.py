"""Documents as rows of Parquet; the one file here that needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sidecar.ingest.exporting.embedded import ExportedChunk
from sidecar.ingest.exporting.kinds import (
    Kind,
    ListOf,
    Record,
    Scalar,
    SchemaTooNarrow,
    as_kind,
    has_json,
    kind_of,
    kind_of_mapping,
    kind_without_values,
    merged,
)
from sidecar.ingest.exporting.lines import DocumentMembers
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.native.json.spans import Node
from sidecar.opensearch.embedded_paths import ROOT

_GROUP_BYTES = 8_000_000
"""Of JSON, in one group of rows."""
_SCALARS = {
    Scalar.NOTHING: pa.string(),
    Scalar.BOOLEAN: pa.bool_(),
    Scalar.WHOLE: pa.int64(),
    Scalar.LARGE: pa.int64(),
    Scalar.DECIMAL: pa.float64(),
    Scalar.TEXT: pa.string(),
    Scalar.JSON: pa.string(),
}
_VECTORS = pa.list_(pa.list_(pa.float32()))
_FLOATS = pa.list_(pa.float32())
_PLACES = pa.list_(pa.int32())
_CONTENTS = pa.list_(pa.string())
_PARTS = {"vector": _VECTORS, "start": _PLACES, "end": _PLACES, "content": _CONTENTS}

Row = tuple[dict[str, Any], dict[str, list[ExportedChunk]]]


class Columns:
    """The columns of all files of an export. ``fields`` are those of the mapping that are exported, ``embedded`` the
    fields whose chunks are, ``vectors`` the columns that hold one vector a row."""

    def __init__(
        self, fields: Mapping[str, Mapping[str, Any]], embedded: Iterable[str], vectors: Iterable[str]
    ) -> None:
        self._kinds: dict[str, Kind] = {"_id": Scalar.TEXT}
        self._kinds |= {name: kind_of_mapping(field) for name, field in fields.items()}
        self._fields = fields
        self._embedded = list(embedded)
        self._vectors = frozenset(vectors)
        self._is_settled = False

    def take(self, rows: Sequence[Row]) -> None:
        """Make room for these rows. Raises: SchemaTooNarrow where the columns are settled, and too narrow."""
        kinds = dict(self._kinds)
        for values, _ in rows:
            for key, value in values.items():
                kinds[key] = merged(kinds.get(key, Scalar.NOTHING), kind_of(value))
        is_wider = kinds != self._kinds
        self._kinds = kinds
        if self._is_settled and is_wider:
            raise SchemaTooNarrow

    def settle(self) -> pa.Schema:
        """The columns as they are to stay; those that are JSON text are named in the schema's own metadata."""
        self._is_settled = True
        # Which shard's documents come first is chance.
        self._kinds = {name: self._kinds[name] for name in sorted(self._kinds, key=self._place_of)}
        fields = [pa.field(name, self.type_of(name)) for name in self._kinds]
        fields += [
            pa.field(f"{ROOT}.{field}.{part}", kind) for field in self._embedded for part, kind in _PARTS.items()
        ]
        return pa.schema(fields, metadata={"json_columns": orjson.dumps(self.json_columns())})

    def sink(self, file: BinaryIO) -> ParquetSink:
        """A file with these columns."""
        return ParquetSink(file, self)

    def look_at(self, documents: Sequence[StoredDocument], members: DocumentMembers) -> None:
        """Make room for documents without writing them."""
        self.take(rows_of(documents, members)[0])

    def unsettle(self) -> None:
        """Let rows widen the columns again."""
        self._is_settled = False

    def json_columns(self) -> list[str]:
        """The columns in which something is written as JSON text, for no one type holds their values."""
        return sorted(name for name, kind in self._kinds.items() if has_json(kind))

    def table(self, rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
        """The rows as a table of that schema."""
        arrays = []
        for name, kind in self._kinds.items():
            values = [row.get(name) for row, _ in rows]
            if has_json(kind):
                values = [as_kind(value, kind) for value in values]
            arrays.append(pa.array(values, self.type_of(name)))
        for field in self._embedded:
            found = [chunks.get(field) for _, chunks in rows]
            arrays += [_chunk_array(found, part) for part in _PARTS]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _place_of(self, name: str) -> tuple[int, str]:
        """Of columns: the id, what the mapping has, then all else."""
        names = ["_id", *self._fields]
        return (names.index(name), "") if name in names else (len(names), name)

    def type_of(self, name: str) -> pa.DataType:
        """The type of a column; without any value in it, by the mapping."""
        kind = self._kinds[name]
        if kind is Scalar.NOTHING:
            kind = kind_without_values(self._fields.get(name, {}))
        if name in self._vectors and kind in (ListOf(Scalar.DECIMAL), ListOf(Scalar.WHOLE)):
            return _FLOATS
        return arrow_type(kind)


class ParquetSink:
    """One file, for one thread."""

    def __init__(self, file: BinaryIO, columns: Columns) -> None:
        self._file = file
        self._columns = columns
        self._writer: Any = None
        self._rows: list[Row] = []
        self._size_bytes = 0

    def write(self, documents: Sequence[StoredDocument], members: DocumentMembers) -> None:
        """As `Sink.write`. Raises: SchemaTooNarrow; what is written then is of no use."""
        rows, size_bytes = rows_of(documents, members)
        self._columns.take(rows)
        self._rows += rows
        self._size_bytes += size_bytes
        if self._size_bytes >= _GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """As `Sink.close`."""
        self._write_group()
        self._writer.close()
        self._file.close()

    def _write_group(self) -> None:
        schema = self._columns.settle()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")
        if not self._writer.schema.equals(schema):
            raise SchemaTooNarrow
        self._writer.write_table(self._columns.table(self._rows, schema))
        self._rows, self._size_bytes = [], 0


def rows_of(documents: Sequence[StoredDocument], members: DocumentMembers) -> tuple[list[Row], int]:
    """The documents' values and chunks, and about how many bytes of JSON they are."""
    rows: list[Row] = []
    size_bytes = 0
    for document in documents:
        texts = members.of(document)
        chunks = members.chunks_of(document)
        size_bytes += sum(len(text) for _, text in texts)
        size_bytes += sum(len(chunk.vector) for found in chunks.values() for chunk in found)
        rows.append(({_decoded(key): _decoded(text) for key, text in texts}, chunks))
    return rows, size_bytes


def _decoded(text: bytes) -> Any:
    return Node(0, len(text)).value(text)


def arrow_type(kind: Kind) -> pa.DataType:
    """The type of a column of that kind."""
    if isinstance(kind, ListOf):
        return pa.list_(arrow_type(kind.items))
    if isinstance(kind, Record):
        return pa.struct([pa.field(key, arrow_type(inner)) for key, inner in sorted(kind.members.items())])
    return _SCALARS[kind]


def _chunk_array(found: Sequence[list[ExportedChunk] | None], part: str) -> pa.Array:
    """One part of the chunks of a field, a list for each document; null for one that has no vectors."""
    if part != "vector":
        values = [None if chunks is None else [getattr(chunk, part) for chunk in chunks] for chunks in found]
        return pa.array(values, _PARTS[part])
    vectors = [None if chunks is None else [_vector(chunk) for chunk in chunks] for chunks in found]
    return pa.array(vectors, _VECTORS)


def _vector(chunk: ExportedChunk) -> Any:
    numbers = orjson.loads(chunk.vector)
    return None if numbers is None else np.array(numbers, dtype=np.float32)
