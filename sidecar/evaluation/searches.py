"""Searches an index as a choice says: timed one by one, and ranked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sidecar.evaluation.choices import DEFAULT_EF_SEARCH
from sidecar.evaluation.groups import in_groups
from sidecar.evaluation.measures import DEEP, PAGE, Ranking
from sidecar.evaluation.results import Choice, Latency
from sidecar.evaluation.sidecar_http import SidecarHttp

WARM_UP_SEARCHES = 100
TIMED_SEARCHES = 200
"""At least so many are timed: fewer queries are asked several times."""
TOGETHER = 25
"""Searches of one request, where time does not matter."""
ANN_QUERIES = 200
"""The most queries by which HNSW is compared with exact search."""
_BARE = {"attributesToRetrieve": [], "showHighlights": False}
_SAME_SCORE = 1e-5
"""How far HNSW and the exact search, which compute in other orders, score one document apart at most."""

Done = Callable[[int], None]


def search_options(choice: Choice) -> dict[str, Any]:
    """What a search's body has beside its query and its limit."""
    options: dict[str, Any] = {"searchMethod": choice.method}
    if choice.ef_search is not None:
        options |= _candidates(choice.ef_search)
    if choice.method == "HYBRID":
        options["hybridParameters"] = {"alpha": choice.alpha}
    return options


class _Timer:
    """Searches of one choice: their times, in milliseconds, and the ids of each query's page."""

    def __init__(self, http: SidecarHttp, index: str, options: Mapping[str, Any]) -> None:
        self._http = http
        self._index = index
        self._options = options
        self.times_ms: list[float] = []
        self.pages: dict[str, list[str]] = {}

    def search(self, query_id: str, text: str) -> None:
        began = time.perf_counter()
        hits = self._http.search(self._index, {**self._options, "q": text})
        self.times_ms.append((time.perf_counter() - began) * 1000)
        self.pages[query_id] = [hit["_id"] for hit in hits]


class Searches:
    """Searches of one index with the queries of a collection, by their ids."""

    def __init__(self, http: SidecarHttp, index: str, queries: Mapping[str, str], done: Done) -> None:
        self._http = http
        self._index = index
        self._queries = queries
        self._done = done

    @property
    def timed_searches(self) -> int:
        """How many searches `time` does for each choice, those to warm up included."""
        return WARM_UP_SEARCHES + self._rounds * len(self._queries)

    def time(self, choices: Sequence[Choice]) -> list[tuple[Latency, Ranking]]:
        """Of each choice, the times of one search after the other, each a page of ten hits with all that a search gives
        by default; and the pages.

        The choices take turns query by query, so that what makes the cluster quicker or slower for a while, its own
        compiler above all, is the same for all. The first searches are not timed. No query's vector comes from a cache.
        """
        timers = [_Timer(self._http, self._index, search_options(choice) | {"limit": PAGE}) for choice in choices]
        queries = list(self._queries.items())
        warm_up = [queries[number % len(queries)] for number in range(WARM_UP_SEARCHES)]
        for query_id, text in [*warm_up, *queries * self._rounds]:
            for timer in timers:
                timer.search(query_id, text)
                self._done(1)
        return [(_latency(timer.times_ms[WARM_UP_SEARCHES:]), timer.pages) for timer in timers]

    def rank(self, choice: Choice) -> Ranking:
        """The first hundred hits of each query."""
        hits = self._ask(list(self._queries.values()), search_options(choice) | {"limit": DEEP} | _BARE)
        return {query_id: [hit["_id"] for hit in found] for query_id, found in zip(self._queries, hits, strict=True)}

    def ann_recall(self, ef_searches: Sequence[int]) -> dict[int, float]:
        """The part of the exact nearest ten documents that HNSW finds, by ``efSearch``: the mean over the queries, or
        over the first `ANN_QUERIES` of them. A document as near as the tenth counts as one of the ten."""
        texts = list(self._queries.values())[:ANN_QUERIES]
        options = {"limit": PAGE, **_BARE}
        exact = self._ask(texts, options | {"exact": True})
        recall: dict[int, float] = {}
        for ef_search in ef_searches:
            found = self._ask(texts, options | _candidates(ef_search))
            parts = [_part_found(best, hits) for best, hits in zip(exact, found, strict=True) if best]
            recall[ef_search] = float(np.mean(parts)) if parts else 1.0
        return recall

    @property
    def _rounds(self) -> int:
        return -(-TIMED_SEARCHES // len(self._queries))

    def _ask(self, texts: Sequence[str], options: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
        hits: list[list[dict[str, Any]]] = []
        for group in in_groups(texts, TOGETHER):
            hits += self._http.search_many(self._index, [{**options, "q": text} for text in group])
            self._done(len(group))
        return hits


def _candidates(ef_search: int) -> dict[str, int]:
    # The default needs not be said, and an older cluster would not understand it.
    return {} if ef_search == DEFAULT_EF_SEARCH else {"efSearch": ef_search}


def _latency(times_ms: Sequence[float]) -> Latency:
    p50, p90, p99 = (float(value) for value in np.percentile(times_ms, [50, 90, 99]))
    return Latency(p50, p90, p99, float(np.mean(times_ms)), len(times_ms))


def _part_found(best: Sequence[Mapping[str, Any]], hits: Sequence[Mapping[str, Any]]) -> float:
    least: float = best[-1]["_score"] - _SAME_SCORE
    near_enough = [hit for hit in hits[: len(best)] if hit["_score"] >= least]
    return len(near_enough) / len(best)
