"""What `Metrics` has counted so far, as numbers of which the difference over an interval can be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""
Key = tuple[str, Labels]
"""A metric's name and the labels of one of its series."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How values of a histogram are spread: ``cumulative`` has, for each upper bound in order, how many were not above
    it; the last bound is infinite."""

    cumulative: tuple[tuple[float, float], ...] = ()
    total: float = 0.0

    @property
    def count(self) -> float:
        """How many values there are."""
        return self.cumulative[-1][1] if self.cumulative else 0.0

    @property
    def mean(self) -> float:
        """Their mean; 0 of none."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """The value that this share of them is not above, taken as evenly spread within their bucket.

        Above the last finite bound it is that bound, as with Prometheus' ``histogram_quantile``; 0 of none.
        """
        wanted = share * self.count
        lower, below = 0.0, 0.0
        for upper, until in self.cumulative:
            if until >= wanted and until > below:
                return lower if upper == float("inf") else lower + (upper - lower) * (wanted - below) / (until - below)
            lower, below = upper, until
        return 0.0

    def plus(self, other: Spread) -> Spread:
        """Both together; their bounds are the same, unless one has none."""
        return _combined(self, other, 1.0)

    def minus(self, earlier: Spread) -> Spread:
        """What has come since."""
        return _combined(self, earlier, -1.0)


def _combined(one: Spread, other: Spread, sign: float) -> Spread:
    if not other.cumulative:
        return one
    counts = dict(other.cumulative)
    bounds = one.cumulative or tuple((bound, 0.0) for bound, _ in other.cumulative)
    cumulative = tuple((bound, count + sign * counts.get(bound, 0.0)) for bound, count in bounds)
    return Spread(cumulative, one.total + sign * other.total)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counters and histograms at one moment, or their growth between two; gauges as they are."""

    spreads: Mapping[Key, Spread] = field(default_factory=dict)
    totals: Mapping[Key, float] = field(default_factory=dict)
    gauges: Mapping[Key, float] = field(default_factory=dict)

    def since(self, earlier: Counts) -> Counts:
        """What was counted since, with the gauges of now."""
        spreads = {key: one.minus(earlier.spreads.get(key, Spread())) for key, one in self.spreads.items()}
        totals = {key: total - earlier.totals.get(key, 0.0) for key, total in self.totals.items()}
        return Counts(spreads, totals, self.gauges)

    def spread(self, name: str) -> Spread:
        """All series of a histogram together."""
        together = Spread()
        for (metric, _), spread in self.spreads.items():
            if metric == name:
                together = together.plus(spread)
        return together

    def total(self, name: str) -> float:
        """All series of a counter, or of a gauge, together."""
        return sum(value for (metric, _), value in (*self.totals.items(), *self.gauges.items()) if metric == name)

    def labelled(self, name: str, label: str, value: str) -> float:
        """The series of a counter that have this value of the label, together."""
        return sum(
            total for (metric, labels), total in self.totals.items() if metric == name and (label, value) in labels
        )


def read_counts(registry: CollectorRegistry) -> Counts:
    """All that the registry's metrics say now; their names are without ``_total``."""
    spreads: dict[Key, Spread] = {}
    totals: dict[Key, float] = {}
    gauges: dict[Key, float] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            key = (metric.name, labels)
            if metric.type == "histogram":
                spreads[key] = _with(spreads.get(key, Spread()), sample)
            elif metric.type == "counter" and sample.name.endswith("_total"):
                totals[key] = sample.value
            elif metric.type == "gauge":
                gauges[key] = sample.value
    return Counts(spreads, totals, gauges)


def _with(spread: Spread, sample: Sample) -> Spread:
    """The spread with what one sample of its series says."""
    if sample.name.endswith("_bucket"):
        return Spread((*spread.cumulative, (float(sample.labels["le"]), sample.value)), spread.total)
    return Spread(spread.cumulative, sample.value) if sample.name.endswith("_sum") else spread
