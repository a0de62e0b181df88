"""The measurements: sizes of batches on a sample, then rounds in which each contestant has its turn, alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.comparison.agreement import Encode, Exact, stored_vectors
from benchmarks.comparison.contestant import INDEX, Contestant, started
from benchmarks.comparison.entries import Entry
from benchmarks.comparison.results import Outcome
from benchmarks.comparison.texts import FreshQueries, spread
from benchmarks.comparison.user_code import lines_of
from benchmarks.corpus import QUERIES
from benchmarks.server import Client

_MOST_SEARCHES_PER_SECOND = 2000

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much is measured; each size of ``batches`` is tried on ``sample`` documents, and the best one is taken."""

    sample: int = 400
    batches: tuple[int, ...] = (8, 16, 32, 64)
    rounds: int = 2
    searches: int = 200
    clients: int = 8
    seconds: float = 6.0
    warm_up: int = 128


class Measuring:
    """All measurements of one run with the same documents, against one cluster."""

    def __init__(self, cluster_url: str, documents: Sequence[dict[str, Any]], plan: Plan, tell: Tell) -> None:
        self._cluster_url = cluster_url
        self._documents = documents
        self._plan = plan
        self._tell = tell
        self._queries = FreshQueries()
        self._seconds: dict[str, list[float]] = {}
        self._found: dict[str, list[list[str]]] = {}
        self._stored: dict[str, dict[str, Sequence[float]]] = {}
        self.not_run: dict[str, str] = {}

    def run(self, entries: Sequence[Entry], encode: Encode) -> list[Outcome]:
        """Measure the entries; what can't be installed or started is told in `not_run`, and the others go on.

        Then judge what they found by the vectors of ``encode``.
        """
        outcomes = {entry.name: Outcome(entry.name, entry.title, lines_of(entry)) for entry in entries}
        running = [entry for entry in entries if self._try(self._choose_batch, entry, outcomes[entry.name])]
        for number in range(self._plan.rounds):
            first = number % max(len(running), 1)
            for entry in running[first:] + running[:first]:
                self._try(self._turn, entry, outcomes[entry.name])
        kept = [outcomes[entry.name] for entry in running if entry.title not in self.not_run]
        exact = Exact(self._documents, encode)
        for outcome in kept:
            self._judge(outcome, exact)
        return kept

    def _try(self, measure: Callable[[Entry, Outcome], None], entry: Entry, outcome: Outcome) -> bool:
        if entry.title in self.not_run:
            return False
        try:
            measure(entry, outcome)
        except RuntimeError as error:
            self.not_run[entry.title] = str(error)
            self._tell(f"{entry.title}: {error}")
        return entry.title not in self.not_run

    def _choose_batch(self, entry: Entry, outcome: Outcome) -> None:
        """Try the sizes of batches where the user chooses them, and take the best."""
        if not entry.takes_batches:
            return
        sample, sizes = spread(self._documents, self._plan.sample), self._plan.batches
        if len(sizes) == 1:
            (outcome.batch,) = sizes
            return
        # A server takes its size of batches when it starts, a library at any time.
        for together in [(size,) for size in sizes] if entry.server else [sizes]:
            with started(entry, self._cluster_url, together[0]) as contestant:
                self._warm_up(contestant)
                for size in together:
                    self._fresh(contestant, size)
                    outcome.tried[str(size)] = contestant.add(sample)
                    self._tell(f"{entry.title}: {outcome.tried[str(size)]:.0f} documents/s in batches of {size}")
        outcome.batch = int(max(outcome.tried, key=lambda size: outcome.tried[size]))

    def _turn(self, entry: Entry, outcome: Outcome) -> None:
        """Index, search by one client, search by all, with nothing else running but the cluster."""
        with started(entry, self._cluster_url, outcome.batch) as contestant:
            outcome.versions = contestant.versions(entry.packages)
            self._warm_up(contestant)
            self._fresh(contestant, outcome.batch)
            outcome.documents_per_second.append(contestant.add(self._documents))
            resident = contestant.resident_bytes()
            self._search(contestant, outcome)
            outcome.resident_bytes.append(max(resident, contestant.resident_bytes()))
            _, self._found[entry.name] = contestant.search(QUERIES)
            if entry.vector_path is not None:
                self._stored[entry.name] = stored_vectors(self._cluster_url, entry.vector_path)
        rates = f"{outcome.documents_per_second[-1]:.0f} documents/s, {outcome.searches_per_second[-1]:.0f} searches/s"
        self._tell(f"{entry.title}: {rates}")

    def _search(self, contestant: Contestant, outcome: Outcome) -> None:
        plan = self._plan
        contestant.search(self._queries.take(20))
        seconds, _ = contestant.search(self._queries.take(plan.searches))
        self._seconds.setdefault(outcome.name, []).extend(seconds)
        queries = self._queries.take(int(plan.seconds * _MOST_SEARCHES_PER_SECOND))
        together = contestant.search_together(queries, clients=plan.clients, seconds=plan.seconds)
        outcome.searches_per_second.append(together.per_second)
        outcome.failed_searches += together.failed
        if together.failed:
            self._tell(f"{outcome.title}: {together.failed} searches failed: {together.error}")

    def _warm_up(self, contestant: Contestant) -> None:
        self._fresh(contestant, None)
        contestant.add(self._documents[: self._plan.warm_up])
        contestant.search(self._queries.take(10))

    def _fresh(self, contestant: Contestant, batch: int | None) -> None:
        """Make the index anew."""
        Client(self._cluster_url).call("DELETE", f"/{INDEX}?ignore_unavailable=true")
        contestant.create(batch)

    def _judge(self, outcome: Outcome, exact: Exact) -> None:
        outcome.set_search_times(self._seconds[outcome.name])
        outcome.overlap_at_10 = exact.overlap(self._found[outcome.name])
        if outcome.name in self._stored:
            outcome.least_cosine = exact.least_cosine(self._stored[outcome.name])
