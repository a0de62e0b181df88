"""The way back to the old index, with all that was written since the switch: `sidecar migrate rollback NAME`."""

from __future__ import annotations

import time
from dataclasses import replace

from sidecar.errors import InvalidArgument
from sidecar.ingest.migration.beginning import changes_of
from sidecar.ingest.migration.copying import Lane
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.new_index import NO_PIPELINES
from sidecar.ingest.migration.parts import MigrationParts, StagedProgress
from sidecar.ingest.migration.passage import BACKWARD, Passage
from sidecar.ingest.migration.sorting import TransferRules
from sidecar.ingest.migration.state import CopyState, MigrationState, Phase
from sidecar.ingest.migration.transfer import Transfer
from sidecar.opensearch.concrete_index import allow_writes, change_settings, find_index
from sidecar.opensearch.job_records import JobRecords

_VERSIONS_A_SECOND = 100_000
"""More changes than a shard takes in a second, so that the versions of one way back are above those of the one before,
and above all that the cluster counts itself."""


def find_switched(parts: MigrationParts, name: str) -> Ledger:
    """The migration that can be rolled back. Raises: InvalidArgument where there is none."""
    ledger = Ledger.find(JobRecords(parts.cluster), name)
    if ledger is None or not (
        ledger.state.phase in (Phase.SWITCHED, Phase.ROLLED_BACK) or ledger.state.phase.is_backward
    ):
        phase = "none" if ledger is None else ledger.state.phase.told
        hint = f" Give one that is under way up: sidecar migrate abort {name}." if ledger is not None else ""
        raise InvalidArgument(f"There is no migration of {name!r} to go back from (the last: {phase}).{hint}")
    return ledger


class Rollback:
    """One way back, in the process that holds its ledger."""

    def __init__(
        self, parts: MigrationParts, ledger: Ledger, progress: StagedProgress, *, rate: float | None = None
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._progress = progress
        self._rate = rate
        self._is_stopped = False
        self._passage: Passage | None = None

    def stop(self) -> None:
        """End soon; safe to call from a signal's handler."""
        self._is_stopped = True
        if self._passage is not None:
            self._passage.stop()

    def run(self) -> MigrationState:
        """Bring what was written since the switch into the old index, embedded by its own model, and switch back.

        Raises: as `Migration.run`. The name leads to the new index until the end. One that is
        rolled back already is left as it is.
        """
        if self._ledger.state.phase is Phase.ROLLED_BACK:
            return self._ledger.state
        if self._ledger.state.phase is Phase.SWITCHED:
            self._begin()
        passage = self._passage = self._open()
        if self._is_stopped:
            passage.stop()
        if self._ledger.state.phase is not Phase.SWITCHING_BACK:
            self._progress.stage("Copying what was written since")
            passage.catch_up()
            if passage.copy.failures:
                raise InvalidArgument(passage.told_failures())
        self._progress.stage("Switching back")
        passage.switch()
        return self._ledger.state

    def _begin(self) -> None:
        state, cluster = self._ledger.state, self._parts.cluster
        base = int(time.time()) * _VERSIONS_A_SECOND
        copy = CopyState(done=dict(state.switched_at), version_base=base)
        if find_index(cluster, state.old.index).uuid != state.old.uuid:
            raise InvalidArgument(f"Index {state.old.index!r} is not the old one any more; there is no way back.")
        change_settings(cluster, state.old.index, NO_PIPELINES)
        allow_writes(cluster, state.old.index)
        self._ledger.save(replace(state, phase=Phase.ROLLING_BACK, copy=copy, blocked_seconds=None))

    def _open(self) -> Passage:
        state, states = self._ledger.state, self._parts.states
        source, target = states.get(state.new.index, is_fresh=True), states.get(state.old.index, is_fresh=True)
        changes = changes_of(state)
        rules = TransferRules(
            dropped=tuple(field for field in changes.added if field not in target.embedded_fields),
            weights=changes.weights,
            keeps_unembeddable=changes.keeps_unembeddable,
            version_base=state.copy.version_base,
        )
        lane = Lane(state.new.index, state.old.index, Transfer(self._parts, source, target, rules))
        return Passage(self._parts, self._ledger, lane, BACKWARD, rate=self._rate, progress=self._progress)
