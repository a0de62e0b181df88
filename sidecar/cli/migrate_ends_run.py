"""The work of the commands by which a migration is looked at, rolled back, finished or given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from sidecar.cli.consoles import progress_console
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.migrate_parts import copying_bar, migration_parts, progress_on
from sidecar.cli.migrate_report import as_json, tell_state
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.ingest.migration.backward import Rollback, find_switched
from sidecar.ingest.migration.copying import Stopped
from sidecar.ingest.migration.ending import abort as give_up
from sidecar.ingest.migration.ending import find_migration
from sidecar.ingest.migration.ending import finish as end
from sidecar.ingest.migration.ledger import is_held
from sidecar.ingest.migration.state import MigrationState
from sidecar.opensearch.job_records import JobRecord, JobRecords
from sidecar.opensearch.switching import MIGRATION, record_name


def status(given: Mapping[str, Any]) -> int:
    """Show how far migrations are; a `Work`."""
    name: str | None = given["name"]
    with migration_parts(progress_console()) as parts:
        records = JobRecords(parts.cluster).list(MIGRATION)
        if name is not None:
            find_migration(parts.cluster, name)
            records = [record for record in records if record.name == record_name(name)]
    if given[JSON]:
        echo_json([_told(record) for record in records])
        return ExitStatus.DONE
    if not records:
        echo("There are no migrations.")
    for record in records:
        state = MigrationState.from_record(record.value)
        at_work = ", a process is at work on it" if is_held(record) else ""
        echo(f"{state.name}: {state.phase.told}, from {state.old.index} to {state.new.index}{at_work}")
    return ExitStatus.DONE


def rollback(given: Mapping[str, Any]) -> int:
    """Let a name lead to the old index again; a `Work`."""
    name: str = given["name"]
    console = progress_console()
    with migration_parts(console) as parts:
        ledger = find_switched(parts, name)
        with ledger, copying_bar(console) as bar:
            work = Rollback(parts, ledger, progress_on(bar), rate=given["rate"])
            with stopped_by_signals(work.stop):
                try:
                    state = work.run()
                except Stopped:
                    bar.pause()
                    echo(f"Stopped. To go on: sidecar migrate rollback {name}", err=True)
                    return ExitStatus.STOPPED
        if given[JSON]:
            echo_json(as_json(state))
        else:
            tell_state(state)
    return ExitStatus.DONE


def finish(given: Mapping[str, Any]) -> int:
    """Delete the index that a migration has left; a `Work`."""
    name: str = given["name"]
    with migration_parts(progress_console()) as parts, find_migration(parts.cluster, name) as ledger:
        if not given["yes"]:
            click.confirm(f"Delete the index that {name} does not lead to any more?", abort=True, err=True)
        deleted = end(parts.cluster, ledger)
    if given[JSON]:
        echo_json({"name": name, "deleted": deleted})
    else:
        echo(f"The migration of {name} was finished already." if deleted is None else f"{deleted} is deleted.")
    return ExitStatus.DONE


def abort(given: Mapping[str, Any]) -> int:
    """Give a migration up; a `Work`."""
    name: str = given["name"]
    with migration_parts(progress_console()) as parts, find_migration(parts.cluster, name) as ledger:
        state = give_up(parts.cluster, ledger)
    if given[JSON]:
        echo_json(as_json(state))
    else:
        echo(f"Given up; {name} leads where it did ({state.phase.told}).")
    return ExitStatus.DONE


def _told(record: JobRecord) -> dict[str, object]:
    return as_json(MigrationState.from_record(record.value)) | {"isRunning": is_held(record)}
