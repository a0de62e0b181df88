"""A search on its way: what the cluster is asked, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import InvalidRequest
from sidecar.opensearch.client import SearchLine, Version
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.filter_values import Query
from sidecar.searching.request import SearchRequest

Hit = dict[str, Any]
"""A hit as the wire has it."""
Answer = Mapping[str, Any]
"""The cluster's answer to one line."""


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """A search of one index, with its filter as a query; None where every document may be a hit. ``version`` is the
    cluster's. ``place`` is where the search stands in the request, for errors: None where it is all of it."""

    state: IndexState
    request: SearchRequest
    version: Version
    filter_query: Query | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, and what else was asked for, by the answer's keys: ``aggregations``, ``facets``, …"""

    hits: list[Hit]
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Lines that are sent together, and how their answers, in the same order, become the result.

    Where the answers show that more must be asked, ``finish`` gives another plan instead.
    """

    asked: AskedSearch
    lines: Sequence[SearchLine]
    finish: Callable[[Sequence[Answer]], SearchResult | SearchPlan]


def found_nothing(asked: AskedSearch) -> SearchPlan:
    """The plan of a search that no document can be a hit of: the cluster is not asked."""
    return _done(asked, SearchResult([]))


def joined(
    asked: AskedSearch,
    plans: Sequence[SearchPlan],
    merge: Callable[[Sequence[SearchResult]], SearchResult | SearchPlan],
) -> SearchPlan:
    """Several plans as one, whose lines are sent together; ``merge`` makes one result of theirs, in their order, or
    the plan of what it still needs for that."""

    def finish(answers: Sequence[Answer]) -> SearchResult | SearchPlan:
        left = list(answers)
        outcomes = []
        for plan in plans:
            own, left = left[: len(plan.lines)], left[len(plan.lines) :]
            outcomes.append(plan.finish(own))
        results = [outcome for outcome in outcomes if isinstance(outcome, SearchResult)]
        if len(results) == len(outcomes):
            return merge(results)
        rest = [outcome if isinstance(outcome, SearchPlan) else _done(asked, outcome) for outcome in outcomes]
        return joined(asked, rest, merge)

    return SearchPlan(asked, [line for plan in plans for line in plan.lines], finish)


@contextmanager
def told_of(place: str | None) -> Iterator[None]:
    """Begin what errors of the client's tell with the place in the request that they are about, as ``queries[3]``."""
    try:
        yield
    except InvalidRequest as error:
        if place is not None:
            error.message = f"{place}: {error.message}"
        raise


def _done(asked: AskedSearch, result: SearchResult) -> SearchPlan:
    return SearchPlan(asked, (), lambda _: result)
