"""A migration from its beginning to the switch: `sidecar migrate NAME`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sidecar.errors import InvalidArgument, SidecarError
from sidecar.ingest.defaults import LEAST_RECALL
from sidecar.ingest.migration.beginning import MARK, changes_of, is_made_by
from sidecar.ingest.migration.comparison import Compared, compare, mean_overlap, sample_queries
from sidecar.ingest.migration.copying import Lane, Stopped
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.naming import give_own_name
from sidecar.ingest.migration.neighbours import Neighbours, check_neighbours, sample_documents
from sidecar.ingest.migration.new_index import build_new_index, final_settings
from sidecar.ingest.migration.parts import MigrationParts, StagedProgress
from sidecar.ingest.migration.passage import FORWARD, Passage
from sidecar.ingest.migration.plan import Plan, make_plan
from sidecar.ingest.migration.sorting import TransferRules
from sidecar.ingest.migration.state import MigrationState, Phase, Place
from sidecar.ingest.migration.transfer import Transfer
from sidecar.opensearch.concrete_index import (
    are_shards_there,
    change_aliases,
    change_settings,
    find_index,
    find_index_or_none,
)
from sidecar.opensearch.mapping_builder import META_KEY
from sidecar.opensearch.shard_changes import count_documents
from sidecar.opensearch.switching import SETTLE_SECONDS


@dataclass(frozen=True)
class Report:
    """What speaks for the switch, and against it: ``objections`` are empty where nothing does."""

    neighbours: Neighbours
    compared: Sequence[Compared] = ()
    why_not_compared: str = ""
    objections: Sequence[str] = ()

    @property
    def overlap(self) -> float | None:
        """The mean share of hits that are the same before and after."""
        return mean_overlap(self.compared)


@dataclass(frozen=True)
class RunOptions:
    """``queries`` are compared before and after; none: some are made of the documents. ``may_switch`` is asked with the
    report where nothing speaks against the switch. ``rate`` are documents a second at most."""

    queries: Sequence[str] = ()
    min_overlap: float | None = None
    min_recall: float = LEAST_RECALL
    rate: float | None = None
    may_switch: Callable[[Report], bool] = field(default=lambda report: True)


class Migration:
    """One migration, in the process that holds its ledger."""

    def __init__(self, parts: MigrationParts, ledger: Ledger, options: RunOptions, progress: StagedProgress) -> None:
        self._parts = parts
        self._ledger = ledger
        self._options = options
        self._progress = progress
        self._is_stopped = False
        self._passage: Passage | None = None
        self.report: Report | None = None

    def stop(self) -> None:
        """End soon, with all written that was begun; safe to call from a signal's handler."""
        self._is_stopped = True
        if self._passage is not None:
            self._passage.stop()

    def run(self) -> MigrationState:
        """Go on from where the migration is; returns how far it is then: SWITCHED, or READY where it was not to switch.
        One that is switched already is left as it is.

        Raises: Stopped; what speaks against it as InvalidArgument; what the cluster or a model raises. What was done by
        then stays, and the next run goes on with it.
        """
        if self._ledger.state.phase is Phase.SWITCHED:
            return self._ledger.state
        if self._ledger.state.phase is Phase.PREPARED:
            self._prepare()
        passage = self._passage = self._open()
        if self._is_stopped:
            passage.stop()
        if self._ledger.state.phase is not Phase.SWITCHING:
            self._progress.found(count_documents(self._parts.cluster, self._ledger.state.old.index))
            self._follow(passage)
            self.report = self._check(passage)
            self._ledger.save(replace(self._ledger.state, copy=passage.copy, phase=Phase.READY))
            if self.report.objections or not self._options.may_switch(self.report):
                return self._ledger.state
            # The answer may have taken its time.
            self._follow(passage)
            time.sleep(max(0.0, self._ledger.state.renamed + SETTLE_SECONDS - time.time()))
        self._progress.stage("Switching")
        passage.switch()
        return self._ledger.state

    def _prepare(self) -> None:
        state, cluster = self._ledger.state, self._parts.cluster
        if state.clone is not None and state.old.index == state.name:
            self._progress.stage(f"Giving index {state.name} the name {state.clone}")
            old = give_own_name(cluster, state.name, state.old, state.clone)
            self._parts.states.invalidate(state.name)
            state = replace(state, old=old, renamed=time.time())
            self._ledger.save(state)
        self._progress.stage(f"Making index {state.new.index}")
        plan = make_plan(self._parts, state.name, changes_of(state))
        new = self._make_index(plan, state)
        self._ledger.save(replace(state, phase=Phase.COPYING, new=new, final=final_settings(plan)))

    def _make_index(self, plan: Plan, state: MigrationState) -> Place:
        cluster, index = self._parts.cluster, state.new.index
        made = find_index_or_none(cluster, index)
        if made is None:
            body = build_new_index(plan, cluster.facts())
            body["mappings"]["_meta"][META_KEY][MARK] = state.job["id"]
            cluster.create_index(index, body)
            made = find_index(cluster, index)
        if not is_made_by(made.mapping, state):
            raise InvalidArgument(f"An index {index!r} is there that this migration has not made. Remove or rename it.")
        if made.aliases:
            # Those that an index template gives: it must not be found by them before it is complete.
            removed = [{"remove": {"index": index, "alias": alias}} for alias in made.aliases]
            change_aliases(cluster, removed, index)
        return Place(index, made.uuid)

    def _open(self) -> Passage:
        state, states = self._ledger.state, self._parts.states
        source, target = states.get(state.old.index, is_fresh=True), states.get(state.new.index, is_fresh=True)
        changes = changes_of(state)
        rules = TransferRules(changes.added, weights=changes.weights, keeps_unembeddable=changes.keeps_unembeddable)
        lane = Lane(state.old.index, state.new.index, Transfer(self._parts, source, target, rules))
        rate = self._options.rate
        return Passage(self._parts, self._ledger, lane, FORWARD, rate=rate, progress=self._progress)

    def _follow(self, passage: Passage) -> None:
        self._progress.stage("Copying")
        passage.catch_up()
        state, cluster = self._ledger.state, self._parts.cluster
        change_settings(cluster, state.new.index, state.final)
        self._progress.stage("Waiting for copies of shards")
        while not are_shards_there(cluster, state.new.index, with_copies=True):
            if self._is_stopped:
                raise Stopped

    def _check(self, passage: Passage) -> Report:
        self._progress.stage("Checking")
        state, parts = self._ledger.state, self._parts
        parts.cluster.refresh(state.new.index)
        new = parts.states.get(state.new.index, is_fresh=True)
        sample = sample_documents(parts.cluster, new)
        neighbours = check_neighbours(parts, new, sample)
        queries = self._options.queries or sample_queries(sample)
        compared, why_not = self._compared(state, queries)
        report = Report(neighbours, compared, why_not)
        return replace(report, objections=self._objections(passage, report))

    def _compared(self, state: MigrationState, queries: Sequence[str]) -> tuple[Sequence[Compared], str]:
        try:
            return compare(self._parts, state.old.index, state.new.index, queries), ""
        except SidecarError as error:
            # The old model may be one that can't be had any more, for which it is left.
            return (), error.message

    def _objections(self, passage: Passage, report: Report) -> list[str]:
        found = [passage.told_failures()] if passage.copy.failures else []
        why_not = report.neighbours.why_not(self._options.min_recall)
        if why_not is not None:
            found.append(why_not)
        least, overlap = self._options.min_overlap, report.overlap
        if least is not None and overlap is None:
            found.append(f"--min-overlap is given, but nothing was compared: {report.why_not_compared or 'no queries'}")
        elif least is not None and overlap is not None and overlap < least:
            found.append(f"only {overlap:.0%} of the first hits are the same; --min-overlap wants {least:.0%}")
        return found
