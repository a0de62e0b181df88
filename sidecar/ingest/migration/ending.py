"""How a migration ends: the index that is not used any more goes, or the one that never was."""

from __future__ import annotations

from dataclasses import replace

from sidecar.errors import InvalidArgument
from sidecar.ingest.migration.beginning import is_made_by
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.naming import remove_clone
from sidecar.ingest.migration.passage import leads_to
from sidecar.ingest.migration.state import MigrationState, Phase, Place
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.concrete_index import allow_writes, block_writes, find_index_or_none
from sidecar.opensearch.job_records import JobRecords


def find_migration(cluster: Cluster, name: str) -> Ledger:
    """The last migration of a name. Raises: InvalidArgument where there was none."""
    ledger = Ledger.find(JobRecords(cluster), name)
    if ledger is None:
        raise InvalidArgument(f"There was no migration of {name!r}. Look at: sidecar migrate status.")
    return ledger


def finish(cluster: Cluster, ledger: Ledger) -> str | None:
    """Delete the index that the switch, or the way back, has left; returns its name, None where that was done before.
    There is no way back then.

    Raises: InvalidArgument where the migration is not at its end, or a name still leads to that index.
    """
    state = ledger.state
    if state.phase is Phase.FINISHED:
        return None
    if state.phase is Phase.SWITCHED:
        unused, used = state.old, state.new
    elif state.phase is Phase.ROLLED_BACK:
        unused, used = state.new, state.old
    else:
        raise InvalidArgument(f"The migration of {state.name!r} is {state.phase.told}: there is nothing to finish.")
    if not leads_to(cluster, state.name, used.index):
        raise InvalidArgument(f"{state.name!r} does not lead to {used.index!r}. Nothing was deleted.")
    found = find_index_or_none(cluster, unused.index)
    if found is not None and found.uuid == unused.uuid:
        if found.aliases:
            raise InvalidArgument(
                f"Index {unused.index!r} has the alias {min(found.aliases)!r}. Move that first; nothing was deleted."
            )
        cluster.delete_index(unused.index)
    ledger.save(replace(state, phase=Phase.FINISHED))
    return unused.index


def abort(cluster: Cluster, ledger: Ledger) -> MigrationState:
    """Give the migration up, or the way back: the name leads where it does, and that index takes writes.

    Raises: InvalidArgument where there is nothing to give up.
    """
    state = ledger.state
    if state.phase.is_forward and state.new.uuid and leads_to(cluster, state.name, state.new.index):
        raise InvalidArgument(f"{state.name!r} was switched already. Go back: sidecar migrate rollback {state.name}.")
    if state.phase.is_forward:
        ended = _abort_forward(cluster, state)
    elif state.phase.is_backward:
        ended = _abort_backward(cluster, state)
    else:
        raise InvalidArgument(f"The migration of {state.name!r} is {state.phase.told}: there is nothing to give up.")
    ledger.save(ended)
    return ended


def _abort_forward(cluster: Cluster, state: MigrationState) -> MigrationState:
    new = find_index_or_none(cluster, state.new.index)
    if new is not None and is_made_by(new.mapping, state):
        cluster.delete_index(state.new.index)
    old = find_index_or_none(cluster, state.name)
    if old is not None and old.name == state.name and state.clone is not None:
        remove_clone(cluster, state.clone, Place(old.name, old.uuid))
    if old is not None and old.is_write_blocked:
        allow_writes(cluster, old.name)
    return replace(state, phase=Phase.ABORTED)


def _abort_backward(cluster: Cluster, state: MigrationState) -> MigrationState:
    if leads_to(cluster, state.name, state.old.index):
        raise InvalidArgument(
            f"{state.name!r} was switched back already. Go on: sidecar migrate rollback {state.name}."
        )
    allow_writes(cluster, state.new.index)
    block_writes(cluster, state.old.index)
    # What was brought back by now need not be brought again, unless some of it was not.
    done = state.switched_at if state.copy.failures else state.copy.done
    return replace(state, phase=Phase.SWITCHED, switched_at=done)
