"""Documents from tables, and tables from hits."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.client import Hit, to_dataframe
from sidecar.client.batches import Unsendable
from sidecar.client.frames import documents_of

MISSING = (None, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT"))
TEXTS = st.text('aé漢\0\n"\\😀', max_size=5)
PLAIN = TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = PLAIN | st.lists(TEXTS, max_size=3) | st.dictionaries(TEXTS, PLAIN, max_size=3)
NAMES = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=4, unique=True)


def only(frame: pd.DataFrame, id_column: str | None = None) -> Any:
    (document,) = documents_of(frame, id_column)
    return document


@given(data=st.data(), names=NAMES, rows=st.integers(0, 4))
def test_cells_are_the_documents_values_and_missing_ones_are_left_out(
    data: st.DataObject, names: list[str], rows: int
) -> None:
    cells = [[data.draw(VALUES | st.sampled_from(MISSING)) for _ in names] for _ in range(rows)]
    frame = pd.DataFrame(cells, columns=names, dtype=object)
    wanted = [
        {
            name: value
            for name, value in zip(names, row, strict=True)
            if not any(value is gap for gap in MISSING) and not (isinstance(value, float) and math.isnan(value))
        }
        for row in cells
    ]
    assert list(documents_of(frame)) == wanted


@given(
    numbers=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    kind=st.sampled_from(["float32", "float64", "Float64"]),
)
def test_columns_of_numbers_are_plain_numbers(numbers: list[float], kind: str) -> None:
    frame = pd.DataFrame({"n": pd.Series(numbers, dtype=kind)})
    found: list[Any] = list(documents_of(frame))
    assert [document["n"] for document in found] == numbers
    assert all(type(document["n"]) is float for document in found)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.int8(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (pd.Timestamp("2026-01-31 10:20:30.5"), "2026-01-31T10:20:30.500000"),
        (pd.Timestamp("2026-01-31 10:20", tz="UTC"), "2026-01-31T10:20:00+00:00"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.time(10, 20), "10:20:00"),
        (np.array([1.5, 2.5]), [1.5, 2.5]),
        (("a", np.str_("b")), ["a", "b"]),
        ({"vector": np.ones(2, np.float32), "content": None}, {"vector": [1.0, 1.0]}),
    ],
)
def test_values_have_the_form_of_json(value: Any, wanted: Any) -> None:
    document = only(pd.DataFrame({"v": pd.Series([value], dtype=object)}))
    assert document == {"v": wanted}
    assert json.loads(json.dumps(document)) == document


def test_categories_are_their_values() -> None:
    assert only(pd.DataFrame({"v": pd.Categorical(["red"])})) == {"v": "red"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.inf, "inf is a number that JSON has not"),
        (b"raw", "a bytes has no JSON"),
        (pd.Timedelta("1h"), "a Timedelta has no JSON"),
        (1j, "a complex has no JSON"),
        (["a", None], "a value within a list is missing"),
        (np.array([1.0, np.nan]), "a value within a list is missing"),
    ],
)
def test_values_without_json_are_told_with_their_column(value: Any, reason: str) -> None:
    found = only(pd.DataFrame({"key": ["k"], "v": pd.Series([value], dtype=object)}), "key")
    assert isinstance(found, Unsendable)
    assert found.id == "k"
    assert found.reason.startswith(f"column 'v': {reason}")


@pytest.mark.parametrize(
    ("ids", "wanted"), [([7], "7"), ([7.0], "7"), (["7.0"], "7.0"), (pd.array([7], dtype="Int64"), "7")]
)
def test_ids_are_texts(ids: Any, wanted: str) -> None:
    assert only(pd.DataFrame({"key": ids}), "key") == {"_id": wanted}
    assert only(pd.DataFrame({"_id": ids})) == {"_id": wanted}


@pytest.mark.parametrize("gap", [*MISSING, ""])
def test_a_row_without_its_id_fails(gap: Any) -> None:
    found = only(pd.DataFrame({"key": pd.Series([gap], dtype=object), "v": [1]}), "key")
    assert found == Unsendable("", "the row has no id")


def test_columns_must_be_clear() -> None:
    with pytest.raises(KeyError, match="no column 'key'"):
        documents_of(pd.DataFrame({"v": [1]}), "key")
    with pytest.raises(ValueError, match="several columns of one name: v"):
        documents_of(pd.DataFrame([[1, 2]], columns=["v", "v"]))
    with pytest.raises(ValueError, match="several columns of one name: _id"):
        documents_of(pd.DataFrame([[1, 2]], columns=["_id", "key"]), "key")
    assert only(pd.DataFrame({0: ["x"]})) == {"0": "x"}


def test_hits_are_rows() -> None:
    hits = [
        Hit("a", 0.75, {"title": "A", "pages": 3}, {"title": "A"}, tensor_score=0.5),
        Hit("b", None, {"title": "B", "tags": ["x"]}),
    ]
    table = to_dataframe(hits)
    names = ["_id", "_score", "_tensor_score", "_lexical_score", "title", "pages", "tags", "_highlights"]
    assert list(table.columns) == names
    assert list(table["_id"]) == ["a", "b"]
    assert table["_score"].isna().tolist() == [False, True]
    assert table["pages"].isna().tolist() == [False, True]
    assert table["tags"][1] == ["x"]
    assert list(to_dataframe(hits[1:]).columns) == ["_id", "_score", "title", "tags"]
    assert list(to_dataframe([]).columns) == ["_id", "_score"]


def test_documents_survive_the_way_through_a_table() -> None:
    documents = [{"_id": "a", "title": "A", "pages": 3}, {"_id": "b", "title": "B", "tags": ["x", "y"]}]
    assert list(documents_of(pd.DataFrame(documents))) == [documents[0] | {"pages": 3.0}, documents[1]]
