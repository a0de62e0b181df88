"""Whole numbers as others write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.whole_numbers import whole_number


@given(st.integers(min_value=0, max_value=10**30), st.integers(min_value=1, max_value=30))
def test_a_number_is_read_where_it_is_not_too_long(number: int, most_digits: int) -> None:
    text = str(number)
    assert whole_number(text, most_digits=most_digits) == (number if len(text) <= most_digits else None)


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789+-_. ²٣"), st.characters()), max_size=12))
def test_what_is_not_digits_alone_is_none(text: str) -> None:
    is_number = text != "" and all(one in "0123456789" for one in text)
    assert (whole_number(text, most_digits=12) is not None) == is_number
