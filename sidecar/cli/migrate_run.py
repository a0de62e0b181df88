"""The work of `sidecar migrate NAME`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console

from sidecar.cli.consoles import progress_console
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import echo_json
from sidecar.cli.migrate_options import Asked
from sidecar.cli.migrate_parts import copying_bar, migration_parts, progress_on
from sidecar.cli.migrate_report import as_json, tell_checks, tell_state
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.ingest.migration.beginning import begin, resume
from sidecar.ingest.migration.changed_settings import Changes
from sidecar.ingest.migration.copying import Stopped
from sidecar.ingest.migration.forward import Migration, Report, RunOptions
from sidecar.ingest.migration.ledger import Ledger
from sidecar.ingest.migration.parts import MigrationParts


def migrate(given: Mapping[str, Any]) -> int:
    """Build the new index, and let it take over; a `Work`."""
    asked = Asked(**given)
    console = progress_console()
    with migration_parts(console) as parts:
        changes, queries = asked.changes(), asked.queries()
        if asked.resume and changes != Changes():
            raise click.UsageError("--resume goes on with what was begun; leave out what is to change.")
        options = _Options(asked, queries, console)
        ledger = resume(parts, asked.name) if asked.resume else begin(parts, asked.name, changes)
        with ledger, copying_bar(console) as bar:
            return options.run(parts, ledger, bar)


class _Options:
    """How one run behaves towards its user."""

    def __init__(self, asked: Asked, queries: Sequence[str], console: Console) -> None:
        self._asked = asked
        self._queries = queries
        self._console = console
        self._is_unanswered = False

    def run(self, parts: MigrationParts, ledger: Ledger, bar: DocumentBar) -> int:
        """Go on with the migration; returns the exit status."""
        asked = self._asked
        options = RunOptions(
            queries=self._queries,
            min_overlap=asked.min_overlap,
            min_recall=asked.min_recall,
            rate=asked.rate,
            may_switch=lambda report: self._may_switch(report, bar),
        )
        migration = Migration(parts, ledger, options, progress_on(bar))
        with stopped_by_signals(migration.stop):
            try:
                state = migration.run()
            except Stopped:
                bar.pause()
                echo(f"Stopped. To go on: sidecar migrate {asked.name} --resume", err=True)
                return ExitStatus.STOPPED
        bar.pause()
        report = migration.report
        if report is not None and report.objections:
            tell_checks(report, self._console)
        if asked.json:
            echo_json(as_json(state, report))
        else:
            tell_state(state)
        has_objections = report is not None and bool(report.objections)
        return ExitStatus.PROBLEMS if has_objections or self._is_unanswered else ExitStatus.DONE

    def _may_switch(self, report: Report, bar: DocumentBar) -> bool:
        bar.pause()
        tell_checks(report, self._console)
        if self._asked.no_switch:
            return False
        if self._asked.yes:
            return True
        if not sys.stdin.isatty():
            self._is_unanswered = True
            self._console.print("Not switched, for nobody can be asked: give --yes.")
            return False
        return click.confirm(f"Let {self._asked.name} lead to the new index?", err=True)
