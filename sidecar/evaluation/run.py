"""One evaluation from its data and choices to its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from sidecar import __version__
from sidecar.embedding.processors import available_processors, processor_name
from sidecar.errors import IndexNotFound
from sidecar.evaluation.choices import DEFAULT_EF_SEARCH
from sidecar.evaluation.data.collection import Collection
from sidecar.evaluation.filling import Filling
from sidecar.evaluation.index_plan import IndexPlan, plan_indexes
from sidecar.evaluation.measures import check_measures, measure
from sidecar.evaluation.memory import PeakMemory
from sidecar.evaluation.output_folder import OutputFolder
from sidecar.evaluation.parts import EvaluationParts, OpenIndex
from sidecar.evaluation.records import IndexRecord, RecordFile
from sidecar.evaluation.results import Choice, Evaluation, Indexing, Machine, Outcome
from sidecar.evaluation.searches import ANN_QUERIES, Searches
from sidecar.evaluation.sidecar_http import SidecarHttp

EF_SEARCHES = (DEFAULT_EF_SEARCH, 64, 128, 256, 512)
"""Where HNSW is compared with exact search, beside the numbers that choices have. For a page of ten less than the first
is no less work."""
EF_SEARCH_SINCE = (2, 16, 0)
"""The first version of k-NN that a search can tell how many candidates to look at."""


@dataclass(frozen=True)
class RunOptions:
    """``is_fresh`` embeds and measures everything anew; ``keeps_indexes`` leaves the indexes in the cluster."""

    is_fresh: bool = False
    keeps_indexes: bool = False


def run_evaluation(
    parts: EvaluationParts,
    collection: Collection,
    choices: Sequence[Choice],
    output: OutputFolder,
    options: RunOptions = RunOptions(),
) -> Evaluation:
    """Measure the completed choices, those that need one index together; goes on where an earlier process ended.

    Raises: what the sidecar and the cluster answer; all that is finished until then is kept in ``output``.
    """
    check_measures()
    began_at = output.begin(collection.facts, is_fresh=options.is_fresh)
    run = _Run(parts, collection, output, options)
    plans = plan_indexes(choices, parts.models, collection.kind)
    run.remove_leftovers(plans)
    found = {outcome.choice: outcome for plan in plans for outcome in run.outcomes(plan)}
    version = ".".join(map(str, parts.cluster.facts().version))
    machine = Machine(processor_name(), available_processors(), psutil.virtual_memory().total, version, __version__)
    return Evaluation(collection.facts, machine, began_at, tuple(found[choice] for choice in choices))


class _Run:
    def __init__(
        self, parts: EvaluationParts, collection: Collection, output: OutputFolder, options: RunOptions
    ) -> None:
        self._parts = parts
        self._collection = collection
        self._output = output
        self._options = options

    def remove_leftovers(self, plans: Sequence[IndexPlan]) -> None:
        """Delete the indexes of evaluations that were killed, save those that this one goes on with."""
        needed = {plan.index_name(self._collection, self._parts.owner) for plan in plans if self._left(plan)}
        for name in self._parts.records.names():
            if name in needed:
                continue
            with self._parts.records.open_if_free(name) as record:
                if record is None or record.record is None or record.record.is_kept:
                    continue
                if record.record.cluster == self._parts.cluster_uuid:
                    self._parts.progress.note(f"Index {name} of an evaluation that was not finished is deleted")
                    self._delete(name, record)

    def outcomes(self, plan: IndexPlan) -> list[Outcome]:
        """What the choices of one index have reached; those that are not finished are measured now."""
        known = [self._output.find(choice, _model(plan)) for choice in plan.choices]
        left = self._left(plan)
        return [outcome for outcome in known if outcome is not None] + (self._measure(plan, left) if left else [])

    def _left(self, plan: IndexPlan) -> list[Choice]:
        return [choice for choice in plan.choices if self._output.find(choice, _model(plan)) is None]

    def _measure(self, plan: IndexPlan, choices: Sequence[Choice]) -> list[Outcome]:
        name = plan.index_name(self._collection, self._parts.owner)
        self._parts.progress.note(f"Index {name}: {', '.join(choice.name for choice in choices)}")
        with self._parts.records.open(name) as record, self._parts.serve() as served:
            index = self._open(plan, name, record, served.http)
            self._warm_up(index)
            with PeakMemory(served.process_id) as memory:
                indexing = Filling(self._parts, self._collection, index, is_fresh=self._options.is_fresh).run(memory)
            measured = self._searched(index, choices, indexing)
            for outcome in measured:
                self._output.keep(outcome, _model(plan))
            if self._options.keeps_indexes:
                record.keep_index()
            elif record.record is not None and not record.record.is_kept:
                self._delete(name, record)
        return measured

    def _open(self, plan: IndexPlan, name: str, record: RecordFile, http: SidecarHttp) -> OpenIndex:
        """The index: that of an earlier process, where its record tells of this very one; else it is made."""
        uuid = self._uuid(name)
        is_known = record.record is not None and record.record.uuid == uuid
        if is_known and not self._options.is_fresh:
            return OpenIndex(name, plan, record, http, is_resumed=True)
        if uuid is not None:
            http.delete_index(name)
        http.create_index(name, plan.settings)
        made = self._uuid(name)
        assert made is not None
        record.save(IndexRecord(self._parts.cluster_uuid, made))
        return OpenIndex(name, plan, record, http, is_resumed=False)

    def _uuid(self, name: str) -> str | None:
        try:
            return self._parts.states.get(name, is_fresh=True).uuid
        except IndexNotFound:
            return None

    def _warm_up(self, index: OpenIndex) -> None:
        """Load the model, which the first time also converts it; a conversion's memory is not that of embedding."""
        if index.plan.spec is not None:
            self._parts.progress.stage(f"Loading the model {index.plan.spec.name}; the first time it is converted")
            index.http.search(index.name, {"q": "a first query loads the model", "limit": 1})

    def _ann_recall(self, index: OpenIndex, choices: Sequence[Choice]) -> dict[int, float]:
        if index.plan.spec is None:
            return {}
        asked = {choice.ef_search for choice in choices if choice.ef_search is not None}
        has_choice = self._parts.cluster.facts().version >= EF_SEARCH_SINCE
        ef_searches = sorted({*(EF_SEARCHES if has_choice else EF_SEARCHES[:1]), *asked})
        queries = self._collection.judgements.queries
        total = (1 + len(ef_searches)) * min(len(queries), ANN_QUERIES)
        self._parts.progress.stage("Comparing HNSW with exact search", total)
        return Searches(index.http, index.name, queries, self._parts.progress.done).ann_recall(ef_searches)

    def _searched(self, index: OpenIndex, choices: Sequence[Choice], indexing: Indexing) -> list[Outcome]:
        """What the choices reach on the index, which is filled."""
        recall = self._ann_recall(index, choices)
        judgements = self._collection.judgements
        searches = Searches(index.http, index.name, judgements.queries, self._parts.progress.done)
        # Ranked first: the cluster's code is quicker when it has run for a while.
        deep = []
        for choice in choices:
            self._parts.progress.stage(f"Searching: {choice.name}", len(judgements.queries))
            deep.append(searches.rank(choice))
        self._parts.progress.stage("Timing searches, one at a time", len(choices) * searches.timed_searches)
        return [
            Outcome(choice, measure(judgements.grades, pages, ranking), latency, indexing, recall)
            for choice, ranking, (latency, pages) in zip(choices, deep, searches.time(choices), strict=True)
        ]

    def _delete(self, name: str, record: RecordFile) -> None:
        self._parts.delete_index(name)
        record.delete()


def _model(plan: IndexPlan) -> str:
    return "" if plan.spec is None else plan.spec.fingerprint
