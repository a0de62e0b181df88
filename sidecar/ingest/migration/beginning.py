"""How a migration begins, and how one that is under way is taken up."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from sidecar.errors import InvalidArgument
from sidecar.ingest.migration.changed_settings import Changes
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.naming import next_names
from sidecar.ingest.migration.parts import MigrationParts
from sidecar.ingest.migration.plan import Plan, make_plan
from sidecar.ingest.migration.state import MigrationState, Phase, Place
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.mapping_builder import META_KEY

MARK = "migration"
"""The key under `_meta.sidecar` that says which migration has made an index."""


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


def changes_of(state: MigrationState) -> Changes:
    """What a migration was begun with."""
    given: Mapping[str, Any] = state.job["changes"]
    return Changes(**{**given, "added": tuple(given["added"])})


def is_made_by(mapping: Mapping[str, Any], state: MigrationState) -> bool:
    """True where the index of that mapping was made by this migration."""
    return bool(mapping.get("_meta", {}).get(META_KEY, {}).get(MARK) == state.job["id"])


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
        job={"id": os.urandom(8).hex(), "changes": _as_json(plan.changes)},
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
