"""The measures of rankings, as the tools of TREC compute them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import InvalidArgument

PAGE = 10
"""Hits of the page that a user sees: its order is what nDCG@10 and R@10 judge."""
DEEP = 100
"""Hits of the list that R@100 and RR judge."""

Ranking = Mapping[str, Sequence[str]]
"""query id -> ids of documents, best first."""


def check_measures() -> None:
    """Raises: InvalidArgument where the library is not installed."""
    try:
        import ir_measures  # noqa: F401 - that it is there is the question
    except ImportError as error:
        raise InvalidArgument(
            f"An evaluation needs ir-measures ({error}); install the extra: pip install 'vector-sidecar[evaluate]'"
        ) from error


def measure(grades: Mapping[str, Mapping[str, int]], pages: Ranking, deep: Ranking) -> dict[str, dict[str, float]]:
    """``nDCG@10`` (linear gain, as trec_eval's), ``R@10``, ``R@100`` and ``RR`` of every judged query, by its id.

    A query that found nothing, or that nothing answers, counts with 0. Orders are taken as they are: equal scores do
    not matter.
    """
    from ir_measures import RR, R, nDCG

    return _measured(grades, pages, [nDCG @ PAGE, R @ PAGE]) | _measured(grades, deep, [R @ DEEP, RR])


def _measured(
    grades: Mapping[str, Mapping[str, int]], ranking: Ranking, measures: Sequence[Any]
) -> dict[str, dict[str, float]]:
    from ir_measures import iter_calc

    # trec_eval orders by scores, and equal ones by ids: ranks are given as scores.
    run = {
        query_id: {document_id: -float(rank) for rank, document_id in enumerate(found)}
        for query_id, found in ranking.items()
    }
    values = {str(one): dict.fromkeys(grades, 0.0) for one in measures}
    for metric in iter_calc(list(measures), {query: dict(found) for query, found in grades.items()}, run):
        values[str(metric.measure)][metric.query_id] = float(metric.value)
    return values
