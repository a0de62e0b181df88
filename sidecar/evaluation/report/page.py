"""The page of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.advice import advice_of, advised
from sidecar.evaluation.report.cautions import cautions_on
from sidecar.evaluation.report.configuration import configurations
from sidecar.evaluation.report.gains import gains_of
from sidecar.evaluation.report.plots.costs import latencies, storage
from sidecar.evaluation.report.plots.drawing import Plot, as_svg, drawing
from sidecar.evaluation.report.plots.recall import recall_of_graph
from sidecar.evaluation.report.plots.relevance import means, relevance_against_latency
from sidecar.evaluation.report.standing import LEADING, MEANINGS, Standing
from sidecar.evaluation.results import Evaluation

_FOLDER = Path(__file__).parent

_RELEVANCE = (
    "Up and left is better. The line is the Pareto front: no other choice is both faster and better than those on it. "
    "The ring is around the advised one."
)
_MEANS = (
    "The mean over all queries, and where it lies with 95 % confidence. Within the band a choice lacks less than 5 % "
    "of the best. Tests compare query by query: a difference can be sure where intervals overlap."
)
_RECALL = "The part of the exact nearest ten that HNSW finds. A higher ef_search finds more and takes longer."
_LATENCIES = "Times of single searches over HTTP, one at a time."
_STORAGE = "Primary shards, merged to one segment. Choices that search the same index have the same."


@dataclass(frozen=True)
class Figure:
    """A plot as it stands on the page: an `svg` element, and what is to be said of it."""

    title: str
    caption: str
    svg: Markup


def page_of(evaluation: Evaluation, standing: Sequence[Standing]) -> str:
    """The whole page, with plots, styles and script in it; it makes no request. Data is escaped everywhere."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    lines, shared = configurations([one.outcome.choice for one in standing])
    script = (_FOLDER / "page.js").read_text("utf-8")
    return environment.get_template("page.html").render(
        evaluation=evaluation,
        standing=standing,
        taken=advised(standing),
        advice=advice_of(standing),
        cautions=cautions_on(evaluation, standing),
        measures=[name for name in evaluation.outcomes[0].per_query if name != LEADING],
        leading=LEADING,
        configurations=lines,
        shared=shared,
        verdicts={verdict.value: meaning for verdict, meaning in MEANINGS.items()},
        figures=list(_figures(evaluation, standing)),
        gains=[gains_of(one, standing[0]) for one in standing[1:]],
        say=wording,
        style=Markup((_FOLDER / "page.css").read_text("utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode(),
    )


def _figures(evaluation: Evaluation, standing: Sequence[Standing]) -> Iterator[Figure]:
    with drawing():
        recall = recall_of_graph(evaluation.outcomes)
        yield _figure(relevance_against_latency(standing, advised(standing)), _RELEVANCE)
        yield _figure(means(standing), _MEANS)
        if recall:
            yield _figure(recall, _RECALL)
        yield _figure(latencies(standing), _LATENCIES)
        yield _figure(storage(standing), _STORAGE)


def _figure(plot: Plot, caption: str) -> Figure:
    # What `as_svg` returns is escaped: by matplotlib within the figure, by itself around it.
    return Figure(plot.title, caption, Markup(as_svg(plot)))
