"""A migration from its beginning to the switch: `sidecar migrate NAME`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from sidecar.errors import InvalidArgument, SidecarError
from sidecar.ingest.migration.changed_settings import Changes
from sidecar.ingest.migration.comparison import Compared, compare, mean_overlap, sample_queries
from sidecar.ingest.migration.copying import Lane, Stopped
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.naming import give_own_name, next_names
from sidecar.ingest.migration.neighbours import LEAST_RECALL, Neighbours, check_neighbours, sample_documents
from sidecar.ingest.migration.new_index import build_new_index, final_settings
from sidecar.ingest.migration.parts import MigrationParts, Progress
from sidecar.ingest.migration.passage import FORWARD, Passage
from sidecar.ingest.migration.plan import Plan, make_plan
from sidecar.ingest.migration.state import MigrationState, Phase, Place
from sidecar.ingest.migration.transfer import Transfer, TransferRules
from sidecar.opensearch.concrete_index import (
    are_shards_there,
    change_aliases,
    change_settings,
    find_index,
    find_index_or_none,
)
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.mapping_builder import META_KEY
from sidecar.opensearch.shard_changes import count_documents
from sidecar.opensearch.switching import SETTLE_SECONDS

_MARK = "migration"


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


def begin(parts: MigrationParts, name: str, changes: Changes) -> Ledger:
    """Begin a migration, or take up the one of the same changes that is under way.

    Raises: InvalidArgument where it can't be done, or another is under way; what loading a model raises.
    """
    records = JobRecords(parts.cluster)
    ledger = Ledger.find(records, name)
    if ledger is not None and not ledger.state.phase.is_over:
        is_same = ledger.state.job["changes"] == _as_json(changes)
        if ledger.state.phase is Phase.SWITCHED and is_same:
            return ledger
        _check_goes_on(ledger.state)
        if not is_same:
            raise InvalidArgument(
                f"A migration of {name!r} with other changes is under way. Go on with it: sidecar migrate {name} "
                f"--resume, or give it up: sidecar migrate abort {name}."
            )
        return ledger
    plan = make_plan(parts, name, changes)
    _check_is_no_member(records, plan)
    return Ledger.begin(records, _first_state(parts, plan))


def resume(parts: MigrationParts, name: str) -> Ledger:
    """Take up the migration that is under way. Raises: InvalidArgument where there is none."""
    ledger = Ledger.find(JobRecords(parts.cluster), name)
    if ledger is None or ledger.state.phase.is_over:
        raise InvalidArgument(f"No migration of {name!r} is under way.")
    _check_goes_on(ledger.state)
    return ledger


class Migration:
    """One migration, in the process that holds its ledger."""

    def __init__(self, parts: MigrationParts, ledger: Ledger, options: RunOptions, progress: Progress) -> None:
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
            body["mappings"]["_meta"][META_KEY][_MARK] = state.job["id"]
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


def changes_of(state: MigrationState) -> Changes:
    """What a migration was begun with."""
    given: Mapping[str, Any] = state.job["changes"]
    return Changes(**{**given, "added": tuple(given["added"])})


def is_made_by(mapping: Mapping[str, Any], state: MigrationState) -> bool:
    """True where the index of that mapping was made by this migration."""
    return bool(mapping.get("_meta", {}).get(META_KEY, {}).get(_MARK) == state.job["id"])


def _as_json(changes: Changes) -> dict[str, Any]:
    """The changes as a record has them."""
    told: dict[str, Any] = orjson.loads(orjson.dumps(asdict(changes)))
    return told


def _first_state(parts: MigrationParts, plan: Plan) -> MigrationState:
    is_alias = plan.old.name != plan.name
    names = next_names(parts.cluster, plan.name, 1 if is_alias else 2)
    return MigrationState(
        name=plan.name,
        phase=Phase.PREPARED,
        old=Place(plan.old.name, plan.old.uuid),
        new=Place(names[-1]),
        clone=None if is_alias else names[0],
        job={"id": os.urandom(8).hex(), "changes": _as_json(plan.changes), "settings": plan.settings.to_wire()},
        begun=time.time(),
    )


def _check_goes_on(state: MigrationState) -> None:
    name = state.name
    if state.phase.is_backward:
        raise InvalidArgument(f"A migration of {name!r} is being rolled back. Go on: sidecar migrate rollback {name}.")
    if not state.phase.is_forward:
        unused = state.new if state.phase is Phase.ROLLED_BACK else state.old
        back = f", or go back: sidecar migrate rollback {name}" if state.phase is Phase.SWITCHED else ""
        raise InvalidArgument(
            f"The last migration of {name!r} is {state.phase.told}, and index {unused.index!r} is kept. Delete that "
            f"first: sidecar migrate finish {name}{back}."
        )


def _check_is_no_member(records: JobRecords, plan: Plan) -> None:
    """Raises: InvalidArgument for an index that is known by another name, of which it is a version."""
    if plan.old.name != plan.name:
        return
    for alias in plan.old.aliases:
        if Ledger.find(records, alias) is not None:
            raise InvalidArgument(
                f"Index {plan.name!r} is a version of {alias!r}. Migrate that: sidecar migrate {alias}."
            )
