"""The way from one index to another, and the switch at its end: to the new index, or back to the old one."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace

from sidecar.errors import InvalidArgument, OpenSearchError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.ingest.migration.copying import Copier, Lane
from sidecar.ingest.migration.deletions import counts, delete_missing
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.new_index import NO_PIPELINES, own_pipelines
from sidecar.ingest.migration.parts import MigrationParts, StagedProgress
from sidecar.ingest.migration.state import CopyState, MigrationState, Phase
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.concrete_index import (
    alias_actions,
    allow_writes,
    block_writes,
    change_aliases,
    change_settings,
    find_index,
)
from sidecar.opensearch.shard_changes import read_checkpoints

_FEW_DOCUMENTS = 200
_SHORT_SECONDS = 1.0
"""A pass over so few, or one that takes so short a time, may be done again while writers wait."""
_MOST_PASSES = 100
_MOVE_TRIES = 3
_SHOWN = 3


@dataclass(frozen=True)
class Direction:
    """The phases of one way."""

    copying: Phase
    switching: Phase
    ended: Phase


FORWARD = Direction(Phase.COPYING, Phase.SWITCHING, Phase.SWITCHED)
BACKWARD = Direction(Phase.ROLLING_BACK, Phase.SWITCHING_BACK, Phase.ROLLED_BACK)


class Passage:
    """One way, in one process; how far it is lies in the ledger, which this process holds."""

    def __init__(
        self,
        parts: MigrationParts,
        ledger: Ledger,
        lane: Lane,
        direction: Direction,
        *,
        rate: float | None,
        progress: StagedProgress,
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._lane = lane
        self._direction = direction
        self._progress = progress
        self._copier = Copier(parts, lane, ledger.state.copy, self._save_copy, rate=rate, progress=progress)

    @property
    def copy(self) -> CopyState:
        """How far the copying is."""
        return self._copier.state

    def stop(self) -> None:
        """End before the next page; safe to call from a signal's handler. A switch that has begun is done."""
        self._copier.stop()

    def catch_up(self) -> None:
        """Bring all changes over, until what comes meanwhile is little.

        Raises: Stopped; InvalidArgument where writers are faster than the copying; what the cluster or a model raises.
        """
        change_settings(self._parts.cluster, self._lane.target, NO_PIPELINES)
        self._copier.follow()
        for _ in range(_MOST_PASSES):
            began = time.monotonic()
            count = self._copier.follow()
            if count <= _FEW_DOCUMENTS or time.monotonic() - began < _SHORT_SECONDS:
                self._bring_deletions()
                return
        raise InvalidArgument(
            f"Index '{self._lane.source}' changes faster than its documents can be copied ({count} in the last pass). "
            "Go on when there are fewer writes, or raise --rate."
        )

    def switch(self) -> None:
        """Have the names of the one index lead to the other, all in one step; writes are refused for that time.

        Raises: InvalidArgument where the indexes do not become equal; what the cluster raises. Then the names lead
        where they did, and writes are taken again, unless the cluster has gone away.
        """
        self._enter(self._direction.switching)
        seconds = None if self._has_moved() else self._move()
        self._parts.states.invalidate(self._ledger.state.name)
        self._ledger.save(replace(self._current(), phase=self._direction.ended, blocked_seconds=seconds))

    def _move(self) -> float:
        """Returns for how many seconds writes were refused."""
        began = time.monotonic()
        block_writes(self._parts.cluster, self._lane.source)
        try:
            self._bring_the_rest()
            self._move_names()
        except BaseException:
            with suppress(OpenSearchError):
                self._give_up()
            raise
        return time.monotonic() - began

    def _bring_the_rest(self) -> None:
        cluster, source, target = self._parts.cluster, self._lane.source, self._lane.target
        change_settings(cluster, target, NO_PIPELINES)
        self._copier.follow(has_ended=True)
        if self.copy.failures:
            raise InvalidArgument(self.told_failures())
        had, has = counts(cluster, source, target)
        if had != has:
            self._bring_deletions()
            had, has = counts(cluster, source, target)
        if had != has:
            raise InvalidArgument(
                f"Index '{target}' has {has} documents, but '{source}' has {had}. Documents of one id with several "
                "routings can become one where the number of shards changes; else this is a fault of the sidecar."
            )
        change_settings(cluster, target, own_pipelines(find_index(cluster, source).settings))
        last = read_checkpoints(cluster, target, has_ended=True)
        self._ledger.save(replace(self._current(), switched_at=last))

    def told_failures(self) -> str:
        """What could not be copied, for a person."""
        failures = self.copy.failures
        shown = "; ".join(f"{key!r}: {failure.reason}" for key, failure in list(failures.items())[:_SHOWN])
        more = f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
        return f"{len(failures)} documents could not be copied: {shown}{more}"

    def _bring_deletions(self) -> None:
        cluster, source, target = self._parts.cluster, self._lane.source, self._lane.target
        had, has = counts(cluster, source, target)
        if had != has:
            self.copy.deleted += delete_missing(cluster, self._parts.bulk, source, target)

    def _move_names(self) -> None:
        cluster, source, target = self._parts.cluster, self._lane.source, self._lane.target
        for number in range(1, _MOVE_TRIES + 1):
            actions = alias_actions(find_index(cluster, source).aliases, source=source, target=target)
            try:
                change_aliases(cluster, actions, target)
                return
            except (OpenSearchUnreachable, OpenSearchTimeout):
                # The answer may be lost while the change was made.
                if self._has_moved():
                    return
                if number == _MOVE_TRIES:
                    raise

    def _has_moved(self) -> bool:
        return leads_to(self._parts.cluster, self._ledger.state.name, self._lane.target)

    def _give_up(self) -> None:
        if self._has_moved():
            self._ledger.save(replace(self._current(), phase=self._direction.ended))
            return
        allow_writes(self._parts.cluster, self._lane.source)
        self._enter(self._direction.copying)

    def _enter(self, phase: Phase) -> None:
        self._ledger.save(replace(self._current(), phase=phase))

    def _save_copy(self) -> None:
        self._ledger.save(self._current())

    def _current(self) -> MigrationState:
        return replace(self._ledger.state, copy=self.copy)


def leads_to(cluster: Cluster, name: str, index: str) -> bool:
    """True where the name is an alias of the index."""
    return find_index(cluster, name).name == index
