"""Any values fit into a column, and come back out of Parquet."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.exporting.kinds import Kind, ListOf, Record, Scalar, as_kind, has_json, kind_of, merged
from sidecar.ingest.exporting.parquet import arrow_type

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(), max_size=5),
)
KEYS = st.sampled_from(["a", "b", "ü"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
KINDS = VALUES.map(kind_of)


def kind_of_all(values: list[Any]) -> Kind:
    kind: Kind = Scalar.NOTHING
    for value in values:
        kind = merged(kind, kind_of(value))
    return kind


@given(KINDS, KINDS, KINDS)
def test_the_order_in_which_values_come_decides_nothing(one: Kind, other: Kind, third: Kind) -> None:
    assert merged(one, one) == one
    assert merged(one, other) == merged(other, one)
    assert merged(merged(one, other), third) == merged(one, merged(other, third))


@given(st.lists(VALUES, max_size=6))
def test_values_of_any_kind_fit_into_a_column_of_their_kind(values: list[Any]) -> None:
    kind = kind_of_all(values)
    column = pa.array([as_kind(value, kind) for value in values], arrow_type(kind))
    file = io.BytesIO()
    pq.write_table(pa.table({"x": column}), file)
    back = pq.read_table(file)["x"].to_pylist()
    if not has_json(kind):
        assert [without_nulls(value) for value in back] == [without_nulls(value) for value in values]
    elif kind is Scalar.JSON and all(is_plain_json(value) for value in values):
        assert [None if text is None else orjson.loads(text) for text in back] == values


def without_nulls(value: Any) -> Any:
    """A column's objects have null where an object has no such member."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def is_plain_json(value: Any) -> bool:
    """True for what orjson reads as it writes it: no whole numbers past 64 bits, no unpaired surrogates."""
    try:
        return bool(orjson.loads(orjson.dumps(value)) == value)
    except TypeError:
        return False


def test_mixed_values_become_json_and_their_neighbours_do_not() -> None:
    kind = kind_of_all([{"a": 1, "b": [1]}, {"a": "x", "b": [2.5]}])
    assert kind == Record({"a": Scalar.JSON, "b": ListOf(Scalar.DECIMAL)})
    assert as_kind({"a": "x", "b": [2.5]}, kind) == {"a": '"x"', "b": [2.5]}


def test_whole_numbers_that_no_decimal_holds_don_t_become_decimals() -> None:
    assert kind_of_all([1, 2.5]) == Scalar.DECIMAL
    assert kind_of_all([2**53 + 1]) == Scalar.LARGE
    assert kind_of_all([2**53 + 1, 2.5]) == Scalar.JSON
    assert kind_of_all([2**64]) == Scalar.JSON
