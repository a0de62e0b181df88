from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.loader import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, batch_length

counts = st.lists(st.integers(0, 2000), min_size=1, max_size=200).map(sorted)


@given(counts)
def test_a_batch_is_within_the_limits_or_one_text(tokens: list[int]) -> None:
    size = batch_length(tokens)
    assert 1 <= size <= min(len(tokens), MAX_BATCH_TEXTS)
    assert size == 1 or size * tokens[-1] <= MAX_BATCH_TOKENS


@given(counts)
def test_a_batch_is_as_large_as_the_limits_let_it_be(tokens: list[int]) -> None:
    size = batch_length(tokens)
    is_all = size == len(tokens)
    assert is_all or size == MAX_BATCH_TEXTS or (size + 1) * tokens[-1] > MAX_BATCH_TOKENS


def test_no_texts_make_no_batch() -> None:
    assert batch_length([]) == 0
