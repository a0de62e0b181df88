"""The commands by which a migration is looked at, rolled back, finished or given up."""

from __future__ import annotations

import click
from rich.console import Console

from sidecar.cli.migrate_parts import copying_bar, migration_parts, progress_on
from sidecar.cli.migrate_report import as_json, echo_json, tell_state
from sidecar.cli.stopping import INTERRUPTED, stopped_by_signals
from sidecar.ingest.migration.backward import Rollback, find_switched
from sidecar.ingest.migration.copying import Stopped
from sidecar.ingest.migration.ending import abort as give_up
from sidecar.ingest.migration.ending import find_migration
from sidecar.ingest.migration.ending import finish as end
from sidecar.ingest.migration.ledger import is_held
from sidecar.ingest.migration.state import MigrationState
from sidecar.opensearch.job_records import JobRecord, JobRecords
from sidecar.opensearch.switching import MIGRATION, record_name


@click.command(short_help="Show how far migrations are.")
@click.argument("name", required=False)
@click.option("--json", "as_text", is_flag=True, help="Tell it as JSON.")
def status(name: str | None, as_text: bool) -> None:
    """Show how far migrations are, that of one NAME or all."""
    with migration_parts(_console()) as parts:
        records = JobRecords(parts.cluster).list(MIGRATION)
        if name is not None:
            find_migration(parts.cluster, name)
            records = [record for record in records if record.name == record_name(name)]
        if as_text:
            echo_json([_told(record) for record in records])
            return
        if not records:
            click.echo("There are no migrations.")
        for record in records:
            state = MigrationState.from_record(record.value)
            at_work = ", a process is at work on it" if is_held(record) else ""
            click.echo(f"{state.name}: {state.phase.told}, from {state.old.index} to {state.new.index}{at_work}")


@click.command(short_help="Let a name lead to the old index again, with all that was written since.")
@click.argument("name")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Documents a second, at most.")
@click.option("--json", "as_text", is_flag=True, help="Tell the result as JSON.")
@click.pass_context
def rollback(ctx: click.Context, name: str, rate: float | None, as_text: bool) -> None:
    """Let NAME lead to the old index again.

    What was written since the switch is brought back first, embedded by the old model. It can be stopped and started
    again.
    """
    console = _console()
    with migration_parts(console) as parts:
        ledger = find_switched(parts, name)
        with ledger, copying_bar(console) as bar:
            work = Rollback(parts, ledger, progress_on(bar), rate=rate)
            with stopped_by_signals(work.stop):
                try:
                    state = work.run()
                except Stopped:
                    bar.pause()
                    click.echo(f"Stopped. To go on: sidecar migrate rollback {name}", err=True)
                    ctx.exit(INTERRUPTED)
        if as_text:
            echo_json(as_json(state))
        else:
            tell_state(state)


@click.command(short_help="Delete the index that a switch, or a way back, has left.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
def finish(name: str, yes: bool) -> None:
    """Delete the index that the migration of NAME has left. There is no way back then."""
    with migration_parts(_console()) as parts, find_migration(parts.cluster, name) as ledger:
        if not yes:
            click.confirm(f"Delete the index that {name} does not lead to any more?", abort=True, err=True)
        deleted = end(parts.cluster, ledger)
        click.echo(f"The migration of {name} was finished already." if deleted is None else f"{deleted} is deleted.")


@click.command(short_help="Give a migration up that is under way.")
@click.argument("name")
def abort(name: str) -> None:
    """Give the migration of NAME up: its unfinished index is deleted. One that is being rolled back stays switched."""
    with migration_parts(_console()) as parts, find_migration(parts.cluster, name) as ledger:
        state = give_up(parts.cluster, ledger)
        click.echo(f"Given up; {name} leads where it did ({state.phase.told}).")


def _console() -> Console:
    return Console(stderr=True, highlight=False)


def _told(record: JobRecord) -> dict[str, object]:
    return as_json(MigrationState.from_record(record.value)) | {"isRunning": is_held(record)}
