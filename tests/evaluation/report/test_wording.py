"""Figures are short, and say what they are."""

from __future__ import annotations

import pytest

from sidecar.evaluation.report import wording


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (2_100_000, "2.1 MB"),
        (999_700, "1,000 kB"),
        (19_430_000, "19.4 MB"),
        (2e12, "2,000 GB"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    assert wording.size(number) == text


@pytest.mark.parametrize(("number", "text"), [(4.5, "4.50"), (29.93, "29.9"), (1234.5, "1,234")])
def test_latencies_have_three_digits(number: float, text: str) -> None:
    assert wording.milliseconds(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(None, "–"), (0.0001, "< 0.001"), (0.0444, "= 0.044"), (0.4444, "= 0.44"), (1.0, "= 1.00")]
)
def test_p_values_have_their_sign(number: float | None, text: str) -> None:
    assert wording.p_value(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.01234, "+0.0123"), (-0.5, "−0.5000"), (-0.00001, "0.0000"), (0, "0.0000")]
)
def test_differences_have_their_sign(number: float, text: str) -> None:
    assert wording.signed(number) == text


@pytest.mark.parametrize(("number", "text"), [(-0.5, "−50.0 %"), (0.031, "+3.1 %"), (0.0, "0.0 %"), (-0.0001, "0.0 %")])
def test_changes_are_in_percent(number: float, text: str) -> None:
    assert wording.percent(number) == text


@pytest.mark.parametrize(("number", "text"), [(None, "–"), (3.21, "3.2"), (1234.5, "1,234")])
def test_rates(number: float | None, text: str) -> None:
    assert wording.rate(number) == text
