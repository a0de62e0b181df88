"""Parquet and Arrow."""

from __future__ import annotations

import datetime
import decimal
import json
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.columns import column_values
from sidecar.ingest.sources.json_values import json_value
from tests.ingest.sources.reading import check_every_place, documents, part, records


def write_parquet(table: pa.Table, path: Path, rows: int) -> None:
    pq.write_table(table, path, row_group_size=rows)


def write_file(table: pa.Table, path: Path, rows: int) -> None:
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table, max_chunksize=rows)


def write_stream(table: pa.Table, path: Path, rows: int) -> None:
    with pa.ipc.new_stream(path, table.schema) as file:
        file.write_table(table, max_chunksize=rows)


def write_feather(table: pa.Table, path: Path, rows: int) -> None:
    pyarrow.feather.write_feather(table, str(path), chunksize=rows, compression="zstd")


Write = Callable[[pa.Table, Path, int], None]
WRITERS: list[tuple[str, Write]] = [
    ("rows.parquet", write_parquet),
    ("rows.arrow", write_file),
    ("rows.arrows", write_stream),
    ("rows.feather", write_feather),
]

NUMBERS = st.none() | st.integers(-(2**31), 2**31 - 1)
LISTS = st.none() | st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=3)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
STRUCTS = st.none() | st.fixed_dictionaries(
    {
        "name": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        "flags": st.lists(st.booleans(), max_size=2),
    }
)
SCHEMA = pa.schema(
    [
        ("number", pa.int32()),
        ("floats", pa.list_(pa.float32())),
        ("inner", pa.struct([("name", pa.string()), ("flags", pa.large_list(pa.bool_()))])),
        ("inners", pa.list_(pa.struct([("n", pa.int64())]))),
    ]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": NUMBERS,
            "floats": LISTS,
            "inner": STRUCTS,
            "inners": st.none() | st.lists(st.fixed_dictionaries({"n": NUMBERS}), max_size=2),
        }
    ),
    max_size=8,
)


@pytest.mark.parametrize(("name", "write"), WRITERS)
@settings(max_examples=30, deadline=None)
@given(rows=ROWS, group=st.integers(1, 9))
def test_every_row_comes_back_from_any_place(name: str, write: Write, rows: list[Any], group: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write(pa.Table.from_pylist(rows, schema=SCHEMA), path, group)
        found = check_every_place(part(path))
        count = part(path).count()
    assert [record.document for record in found] == rows
    assert [record.row for record in found] == list(range(len(rows)))
    assert count == (None if name == "rows.arrows" else len(rows))


MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 250_000)
CASES: list[tuple[pa.DataType, list[Any], list[Any]]] = [
    (pa.int8(), [1, None], [1, None]),
    (pa.uint64(), [2**64 - 1, None], [2**64 - 1, None]),
    (pa.float16(), [np.float16(0.5), None], [0.5, None]),
    (pa.bool_(), [True, None, False], [True, None, False]),
    (pa.null(), [None, None], [None, None]),
    (pa.large_string(), ["é", None], ["é", None]),
    (pa.string_view(), ["é", None], ["é", None]),
    (pa.binary(), [b"\x00\xff", None], ["AP8=", None]),
    (pa.date32(), [MOMENT.date(), None], ["2024-02-29", None]),
    (pa.date64(), [MOMENT.date(), None], ["2024-02-29", None]),
    (pa.timestamp("s"), [MOMENT.replace(microsecond=0), None], ["2024-02-29T12:30:15", None]),
    (pa.timestamp("ms"), [MOMENT, None], ["2024-02-29T12:30:15.250", None]),
    (pa.timestamp("us", tz="Europe/Berlin"), [MOMENT, None], ["2024-02-29T12:30:15.250000Z", None]),
    (pa.timestamp("ns"), [MOMENT], ["2024-02-29T12:30:15.250000000"]),
    (pa.time64("us"), [MOMENT.time(), None], ["12:30:15.250000", None]),
    (pa.duration("ms"), [datetime.timedelta(seconds=1.5), None], [1.5, None]),
    (pa.decimal128(10, 2), [decimal.Decimal("12.50"), None], [12.5, None]),
    (pa.decimal128(30, 0), [decimal.Decimal(10**25), None], [10**25, None]),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None, "a"], ["a", None, "a"]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1), ("b", None)], None, []], [{"a": 1, "b": None}, None, {}]),
    (pa.list_(pa.float32(), 2), [[0.5, 1.5], None, [2.5, 3.5]], [[0.5, 1.5], None, [2.5, 3.5]]),
    (pa.list_(pa.list_(pa.string())), [[["a"], []], None, []], [[["a"], []], None, []]),
    (pa.list_(pa.date32()), [[MOMENT.date()], None], [["2024-02-29"], None]),
    (pa.struct([]), [{}, None], [{}, None]),
    (pa.uuid(), [uuid.UUID(int=7).bytes, None], [str(uuid.UUID(int=7)), None]),
]


@pytest.mark.parametrize(("kind", "values", "expected"), CASES, ids=lambda value: str(value)[:30])
def test_values_of_each_type_are_json(kind: pa.DataType, values: list[Any], expected: list[Any]) -> None:
    column = pa.array(values, kind)
    assert column_values(column) == expected
    json.dumps(column_values(column))
    # A piece of a column lies behind others in memory.
    assert column_values(column.slice(1)) == expected[1:]
    assert column_values(pa.concat_arrays([column, column]).slice(1, len(values))) == [*expected[1:], expected[0]]


def test_vectors_come_as_lists_of_numbers(tmp_path: Path) -> None:
    vectors = np.arange(60, dtype=np.float32).reshape(20, 3)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 3)
    write_parquet(pa.table({"vector": column}), tmp_path / "rows.parquet", 7)
    assert [document["vector"] for document in documents(tmp_path / "rows.parquet")] == vectors.tolist()


def test_memory_does_not_grow_with_a_row_group(tmp_path: Path) -> None:
    vectors = np.random.default_rng(7).random((10_000, 1000), dtype=np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 1000)
    write_parquet(pa.table({"vector": column}), tmp_path / "rows.parquet", 10_000)
    del vectors, column
    before, most = pa.total_allocated_bytes(), 0
    for record in part(tmp_path / "rows.parquet").records():
        if record.row % 500 == 0:
            most = max(most, pa.total_allocated_bytes() - before)
    assert most < 20_000_000  # of 40,000,000 bytes


def test_a_string_that_is_not_utf8_fails_alone(tmp_path: Path) -> None:
    column = pa.Array.from_buffers(pa.string(), 3, pa.array([b"good", b"caf\xe9", b"too"], pa.binary()).buffers())
    write_file(pa.table({"text": column, "n": [1, 2, 3]}), tmp_path / "rows.arrow", 10)
    found = check_every_place(part(tmp_path / "rows.arrow"))
    assert [record.document for record in found] == [{"text": "good", "n": 1}, None, {"text": "too", "n": 3}]
    assert "a string is not UTF-8" in str(found[1].error)


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.feather"])
@pytest.mark.parametrize("content", [b"", b"no such format at all, but long enough", b"ARROW1\0\0cut off", b"PAR1cut"])
def test_a_file_that_is_none_of_the_format_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidArgument, match=rf"{name} can't be read on: "):
        records(tmp_path / name)


def test_old_feather_files_are_told_how_to_become_new_ones(tmp_path: Path) -> None:
    (tmp_path / "rows.feather").write_bytes(b"FEA1" + b"\0" * 40)
    with pytest.raises(InvalidArgument, match="Feather of version 1"):
        records(tmp_path / "rows.feather")


SCALARS = (
    st.none()
    | st.integers()
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False)
)


@settings(max_examples=50, deadline=None)
@given(st.recursive(SCALARS, st.lists, max_leaves=4))
def test_python_values_become_json(value: Any) -> None:
    json.dumps(json_value(value))


def test_numpy_values_become_json() -> None:
    value = {
        "vector": np.array([0.5, 1.0], np.float32),
        "whole": np.int64(3),
        "when": np.datetime64("2024-02-29T12:00:00"),
        "never": np.datetime64("NaT"),
        "words": np.array(["a", None], object),
    }
    assert json_value(value) == {
        "vector": [0.5, 1.0],
        "whole": 3,
        "when": "2024-02-29T12:00:00",
        "never": None,
        "words": ["a", None],
    }
