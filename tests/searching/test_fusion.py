from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.searching.fusion import LEAST_SCORE, Ranked, fused, normalized_scores, reciprocal_ranks

IDS = [f"d{number}" for number in range(30)]
ALPHAS = st.floats(0, 1)
RRF = partial(reciprocal_ranks, alpha=0.5, k=60)


@st.composite
def ranked(draw: st.DrawFn) -> Ranked:
    """Some documents with falling scores, as the cluster gives them."""
    names = draw(st.lists(st.sampled_from(IDS), unique=True))
    scores = draw(st.lists(st.floats(0, 1e6), min_size=len(names), max_size=len(names)))
    return list(zip(names, sorted(scores, reverse=True), strict=True))


def order(tensor: Ranked, lexical: Ranked, alpha: float, *, windows: tuple[int, ...] = (100,)) -> list[str]:
    return [name for name, _ in fused(tensor, lexical, partial(reciprocal_ranks, alpha=alpha, k=60), windows)]


def test_reciprocal_ranks_are_those_of_the_paper() -> None:
    scores = reciprocal_ranks([("a", 9), ("b", 8)], [("b", 3), ("c", 2)], alpha=0.25, k=60)
    assert scores == {
        "a": pytest.approx(0.25 / 61),
        "b": pytest.approx(0.25 / 62 + 0.75 / 61),
        "c": pytest.approx(0.75 / 62),
    }


def test_normalized_scores_reach_from_nearly_0_to_1_in_each_half() -> None:
    scores = normalized_scores([("a", 0.9), ("b", 0.6), ("c", 0.5)], [("c", 12), ("d", 2)], alpha=0.5)
    assert scores == {
        "a": pytest.approx(0.5),
        "b": pytest.approx(0.125),
        "c": pytest.approx(0.5 * LEAST_SCORE + 0.5),
        "d": pytest.approx(0.5 * LEAST_SCORE),
    }


@pytest.mark.parametrize("half", [[("a", 5.0)], [("a", 5.0), ("b", 5.0)]])
def test_equal_scores_of_a_half_all_count_fully(half: Ranked) -> None:
    assert set(normalized_scores(half, [], alpha=1).values()) == {1.0}


@given(ranked(), ranked(), ALPHAS)
def test_every_document_of_either_half_is_there_once(tensor: Ranked, lexical: Ranked, alpha: float) -> None:
    found = order(tensor, lexical, alpha)
    assert len(found) == len(set(found))
    assert set(found) == {name for name, _ in (*tensor, *lexical)}


@given(ranked(), ranked())
def test_alpha_1_is_the_order_of_meaning_and_0_that_of_words(tensor: Ranked, lexical: Ranked) -> None:
    assert order(tensor, lexical, 1)[: len(tensor)] == [name for name, _ in tensor]
    assert order(tensor, lexical, 0)[: len(lexical)] == [name for name, _ in lexical]


@given(ranked(), ranked(), ALPHAS)
def test_halves_change_places_when_their_shares_do(tensor: Ranked, lexical: Ranked, alpha: float) -> None:
    there = reciprocal_ranks(tensor, lexical, alpha=alpha, k=60)
    back = reciprocal_ranks(lexical, tensor, alpha=1 - alpha, k=60)
    assert back == pytest.approx(there)


@given(ranked(), ranked(), ALPHAS)
def test_normalized_scores_are_from_0_to_1(tensor: Ranked, lexical: Ranked, alpha: float) -> None:
    assert all(0 <= score <= 1.000001 for score in normalized_scores(tensor, lexical, alpha=alpha).values())


@given(ranked(), ranked(), st.floats(0.1, 100), st.floats(-10, 10))
def test_normalized_scores_do_not_depend_on_the_scale(
    tensor: Ranked, lexical: Ranked, factor: float, shift: float
) -> None:
    tensor = [(name, round(score)) for name, score in tensor]
    scaled = [(name, score * factor + shift) for name, score in tensor]
    before = normalized_scores(tensor, lexical, alpha=0.5)
    assert normalized_scores(scaled, lexical, alpha=0.5) == pytest.approx(before, abs=1e-3)


@given(ranked(), ranked(), st.integers(1, 40), st.integers(1, 40))
def test_a_wider_window_continues_the_order_of_a_narrower_one(
    tensor: Ranked, lexical: Ranked, first: int, more: int
) -> None:
    narrow = fused(tensor, lexical, RRF, [first])
    wide = fused(tensor, lexical, RRF, [first, first + more])
    assert wide[: len(narrow)] == narrow
    assert len(narrow) <= first
    assert len(wide) <= first + more


@given(ranked(), ranked(), st.lists(st.integers(1, 40), min_size=1, unique=True).map(sorted))
def test_scores_never_rise(tensor: Ranked, lexical: Ranked, windows: list[int]) -> None:
    scores = [score for _, score in fused(tensor, lexical, RRF, windows)]
    assert scores == sorted(scores, reverse=True)


def test_of_equal_scores_those_of_meaning_come_first_in_their_order() -> None:
    assert order([("z", 3), ("y", 2)], [("b", 9), ("a", 8)], 0.5) == ["z", "b", "y", "a"]
    assert order([("z", 3), ("y", 2)], [("b", 9), ("a", 8)], 0) == ["b", "a", "z", "y"]


def test_nothing_found_is_no_order() -> None:
    assert fused([], [], RRF, [32]) == []
    assert normalized_scores([], [], alpha=0.5) == {}
