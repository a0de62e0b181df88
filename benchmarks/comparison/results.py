"""What a comparison found, as it is recorded in a file of JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Outcome:
    """What was measured of one entry; lists have a value for each round.

    ``tried`` has documents a second on a sample, by the size of batches; ``batch`` is the size that was then used. Of
    searches by one client ``search_seconds`` are all of them, and kept in the file as their median and 95th percentile.
    ``least_cosine`` is that of stored vectors to the reference's, None where they can't be read.
    """

    name: str
    title: str
    lines: int
    batch: int | None = None
    tried: dict[str, float] = field(default_factory=dict)
    documents_per_second: list[float] = field(default_factory=list)
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    searches_per_second: list[float] = field(default_factory=list)
    failed_searches: int = 0
    resident_bytes: list[int] = field(default_factory=list)
    overlap_at_10: float = 0.0
    least_cosine: float | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def set_search_times(self, seconds: Sequence[float]) -> None:
        """Keep the median and the 95th percentile of the durations."""
        percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
        self.p50_ms, self.p95_ms = percentiles[49] * 1000, percentiles[94] * 1000


@dataclass(frozen=True)
class Comparison:
    """A whole run; ``not_run`` has the entries that could not be measured, by title, with the reason."""

    command: str
    recorded: str
    machine: Mapping[str, str]
    documents: int
    rounds: int
    searches: int
    clients: int
    seconds: float
    outcomes: Sequence[Outcome]
    not_run: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read(path: Path) -> Comparison:
    """The comparison of a file that `Comparison.write` made."""
    told = json.loads(path.read_text("utf-8"))
    told["outcomes"] = [Outcome(**outcome) for outcome in told["outcomes"]]
    return Comparison(**told)
