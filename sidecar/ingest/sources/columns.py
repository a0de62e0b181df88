"""Columns of Arrow as Python values that JSON has; by whole columns, which is many times faster than value by value."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from sidecar.ingest.sources.json_values import json_value


def column_values(column: pa.Array) -> list[Any]:
    """The values of a column, as `json_values.json_value` has them; None where there is none.

    Raises: UnicodeDecodeError for a string that is not UTF-8.
    """
    for is_kind, read in _READERS:
        if is_kind(column.type):
            return read(column)
    return [json_value(value) for value in column.to_pylist()]


def batch_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch, each with all of its columns."""
    names = batch.schema.names
    columns = [column_values(column) for column in batch.columns]
    if not columns:
        return [{} for _ in range(batch.num_rows)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _numbers(column: pa.Array) -> list[Any]:
    if column.null_count == 0:
        values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
        return values
    filled = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    return _with_nulls(filled.to_numpy(zero_copy_only=False).tolist(), column)


def _strings(column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    except pa.ArrowException:
        values = column.to_pylist()  # which says what is no text
    return values


def _instants(column: pa.Array) -> list[Any]:
    is_date = pa.types.is_date(column.type)
    end = "Z" if not is_date and column.type.tz is not None else ""
    values = column.to_numpy(zero_copy_only=False)
    unit: Any = "D" if is_date else column.type.unit
    texts: list[str] = np.datetime_as_string(values, unit=unit, casting="unsafe").tolist()
    return _with_nulls([text + end for text in texts] if end else texts, column)


def _lists(column: pa.Array) -> list[Any]:
    offsets = column.offsets.to_numpy(zero_copy_only=False)
    first, last = (int(offsets[0]), int(offsets[-1])) if len(column) else (0, 0)
    inner = column.values.slice(first, last - first)
    return _with_nulls(_cut(inner, (offsets - first).tolist()), column)


def _vectors(column: pa.Array) -> list[Any]:
    size = column.type.list_size
    inner = column.values.slice(column.offset * size, len(column) * size)
    return _with_nulls(_cut(inner, list(range(0, len(inner) + 1, size)) if size else [0] * (len(column) + 1)), column)


def _cut(inner: pa.Array, bounds: list[int]) -> list[Any]:
    """Lists of the values between bounds, one after another."""
    values = column_values(inner)
    return [values[begin:end] for begin, end in pairwise(bounds)]


def _objects(column: pa.Array) -> list[Any]:
    names = [column.type.field(number).name for number in range(column.type.num_fields)]
    members = [column_values(member) for member in column.flatten()]
    rows = zip(*members, strict=True) if members else ([] for _ in range(len(column)))
    return _with_nulls([dict(zip(names, values, strict=True)) for values in rows], column)


def _maps(column: pa.Array) -> list[Any]:
    entries = ([] if pairs is None else pairs for pairs in column.to_pylist())
    return _with_nulls([{str(json_value(key)): json_value(value) for key, value in pairs} for pairs in entries], column)


def _with_nulls(values: list[Any], column: pa.Array) -> list[Any]:
    """The values with None where the column has none."""
    if column.null_count:
        for number in np.flatnonzero(~column.is_valid().to_numpy(zero_copy_only=False)).tolist():
            values[number] = None
    return values


_READERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]], ...] = (
    (pa.types.is_integer, _numbers),
    (pa.types.is_floating, _numbers),
    (pa.types.is_boolean, _numbers),
    (pa.types.is_string, _strings),
    (pa.types.is_large_string, _strings),
    (pa.types.is_timestamp, _instants),
    (pa.types.is_date, _instants),
    (pa.types.is_list, _lists),
    (pa.types.is_large_list, _lists),
    (pa.types.is_fixed_size_list, _vectors),
    (pa.types.is_struct, _objects),
    (pa.types.is_map, _maps),
    (pa.types.is_dictionary, lambda column: column_values(column.dictionary_decode())),
)
"""How the values of a type are read; others are read one by one."""
