"""What a reader of an evaluation should not overlook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.advice import advised
from sidecar.evaluation.report.standing import Standing, Verdict
from sidecar.evaluation.results import Evaluation

FEW_QUERIES = 50
"""The tracks of TREC have at least as many: E. Voorhees, C. Buckley, The Effect of Topic Set Size on Retrieval
Experiment Error, SIGIR 2002."""

FEW_SEARCHES = 100
"""With fewer, the 99th percentile is the slowest search."""

LOW_RECALL = 0.95

NAMED = 3
"""Choices that a sentence names; of more, it tells how many."""


def cautions_on(evaluation: Evaluation, standing: Sequence[Standing]) -> list[str]:
    """Sentences on what limits the evaluation: few queries, documents or searches, a graph that misses neighbours."""
    return [*_of_data(evaluation), *_of_unsure(standing), *_of_graph(advised(standing)), *_of_times(standing)]


def _of_data(evaluation: Evaluation) -> Iterator[str]:
    queries, documents = evaluation.data.queries, evaluation.data.documents
    if queries < FEW_QUERIES:
        yield f"{queries} queries are few: only large differences can be told from chance. Judge {FEW_QUERIES} or more."
    if documents <= 100:
        yield f"There are {documents} documents only: measures of the first 100 hits look at all of them."


def _of_unsure(standing: Sequence[Standing]) -> Iterator[str]:
    best = standing[0]
    unsure = [one for one in standing if one.verdict is Verdict.UNSURE]
    if unsure:
        names = ", ".join(f"{one.name} ({one.mean:.3f}, p {wording.p_value(one.p_value)})" for one in unsure[:NAMED])
        if len(unsure) > NAMED:
            names += f" and {len(unsure) - NAMED} more"
        yield f"The queries are too few to be sure that these are worse than {best.name}: {names}."


def _of_graph(taken: Standing) -> Iterator[str]:
    recall = taken.own_recall
    if recall is not None and recall < LOW_RECALL:
        yield (
            f"With ef_search {taken.outcome.choice.ef_search}, HNSW finds {recall * 100:.0f} % of the exact nearest "
            f"ten of {taken.name}: a higher ef_search would find more."
        )


def _of_times(standing: Sequence[Standing]) -> Iterator[str]:
    searches = min(one.outcome.latency.searches for one in standing)
    if searches < FEW_SEARCHES:
        yield f"Latencies come from {searches} searches: the 99th percentile is the slowest of them."
