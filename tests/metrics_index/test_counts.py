"""Counts of metrics, their growth over an interval, and what their histograms tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.metrics import Metrics
from sidecar.metrics_index.counts import Counts, Spread, read_counts

REQUESTS = "sidecar_request_seconds"


def spread_of(*values: float) -> Spread:
    metrics = Metrics()
    for value in values:
        metrics.query_embedding.observe(value)
    return read_counts(metrics.registry).spread("sidecar_query_embedding_seconds")


def test_spread_of_nothing_has_no_count_mean_or_quantile() -> None:
    for spread in (Spread(), spread_of()):
        assert (spread.count, spread.mean, spread.quantile(0.95)) == (0, 0, 0)


def test_mean_is_exact() -> None:
    assert spread_of(0.1, 0.2, 0.6).mean == pytest.approx(0.3)


def test_quantile_is_taken_as_evenly_spread_within_its_bucket() -> None:
    assert spread_of(*[0.02] * 10).quantile(0.5) == pytest.approx((0.01 + 0.025) / 2)


def test_quantile_above_all_bounds_is_the_last_bound() -> None:
    assert spread_of(1000.0).quantile(0.5) == 60.0


@given(st.lists(st.floats(0.0005, 59), min_size=1, max_size=30), st.floats(0.01, 1))
def test_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    spread = spread_of(*values)
    true = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    bounds = [0.0, *(bound for bound, _ in spread.cumulative)]
    lower = max(bound for bound in bounds if bound < true)
    upper = min(bound for bound in bounds if bound >= true)
    assert lower - 1e-9 <= spread.quantile(share) <= upper + 1e-9


def test_since_tells_what_came_after_the_earlier_reading() -> None:
    metrics = Metrics()
    metrics.requests.labels("/a", "GET", 200).observe(1.0)
    metrics.tokens.inc(5)
    earlier = read_counts(metrics.registry)
    metrics.requests.labels("/a", "GET", 200).observe(3.0)
    metrics.requests.labels("/b", "GET", 500).observe(2.0)
    metrics.tokens.inc(7)
    metrics.queue.set(4)
    grown = read_counts(metrics.registry).since(earlier)
    assert (grown.spread(REQUESTS).count, grown.spread(REQUESTS).total) == (2, 5.0)
    assert (grown.total("sidecar_tokens"), grown.total("sidecar_queue_texts")) == (7, 4)


def test_since_nothing_is_all() -> None:
    metrics = Metrics()
    metrics.retries.inc(2)
    assert read_counts(metrics.registry).since(Counts()).total("sidecar_write_retries") == 2
