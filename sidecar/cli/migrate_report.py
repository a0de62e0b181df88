"""What ``sidecar migrate`` tells of a migration: for a person, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sidecar.cli.printable import echo, escape
from sidecar.ingest.migration.comparison import Compared, Hit
from sidecar.ingest.migration.forward import Report
from sidecar.ingest.migration.state import MigrationState, Phase

_TITLES = 3
_LONGEST = 48


def tell_checks(report: Report, console: Console) -> None:
    """The comparison as a table, and what the checks have found."""
    if report.compared:
        console.print(_table(report.compared))
    elif report.why_not_compared:
        console.print(f"Nothing could be compared: {escape(report.why_not_compared)}")
    if report.overlap is not None:
        console.print(f"Of the first hits {report.overlap:.0%} are the same before and after, on average")
    found = report.neighbours
    if found.documents:
        console.print(
            f"{found.documents} documents sampled: {found.found:.0%} find themselves, searches find {found.recall:.0%} "
            "of the ten nearest"
        )
    for objection in report.objections:
        console.print(f"Not switched: {escape(objection)}")


def tell_state(state: MigrationState) -> None:
    """How far a migration is, in a line or two."""
    copy = state.copy
    bare = f", {copy.bare} of them without vectors" if copy.bare else ""
    echo(f"{copy.copied} copies written{bare}, {copy.deleted} deleted")
    if state.phase is Phase.SWITCHED:
        echo(f"{state.name} leads to {state.new.index} now{_waited(state)}.")
        echo(
            f"{state.old.index} is kept. When you don't want to go back any more: sidecar migrate finish {state.name}; "
            f"to go back: sidecar migrate rollback {state.name}"
        )
    elif state.phase is Phase.ROLLED_BACK:
        echo(f"{state.name} leads to {state.old.index} again{_waited(state)}.")
        echo(f"{state.new.index} is kept; delete it: sidecar migrate finish {state.name}")
    else:
        echo(f"{state.name} leads to {state.old.index} as before; {state.new.index} is {state.phase.told}.")


def as_json(state: MigrationState, report: Report | None = None) -> dict[str, Any]:
    """The same, for programs."""
    copy = state.copy
    told: dict[str, Any] = {
        "name": state.name,
        "phase": state.phase.value,
        "old": state.old.index,
        "new": state.new.index,
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.begun)),
        "copied": copy.copied,
        "deleted": copy.deleted,
        "withoutVectors": copy.bare,
        "failures": {document_id: failure.reason for document_id, failure in copy.failures.items()},
        "blockedSeconds": state.blocked_seconds,
    }
    if report is None:
        return told
    found = report.neighbours
    return told | {
        "sample": {"documents": found.documents, "findThemselves": found.found, "recall": found.recall},
        "overlap": report.overlap,
        "queries": [_compared(one) for one in report.compared],
        "objections": list(report.objections),
    }


def _table(compared: Sequence[Compared]) -> Table:
    table = Table("Query", "Same", "Before", "After", show_lines=True)
    for one in compared:
        table.add_row(_shown(one.query), f"{one.overlap:.0%}", _titles(one.before), _titles(one.after))
    return table


def _titles(hits: Sequence[Hit]) -> str:
    return "\n".join(_shown(hit.title) for hit in hits[:_TITLES])


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return escape(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…")


def _waited(state: MigrationState) -> str:
    return "" if state.blocked_seconds is None else f"; writes waited for {state.blocked_seconds:.1f} s"


def _compared(one: Compared) -> dict[str, Any]:
    before, after = ([{"_id": hit.document_id, "title": hit.title} for hit in hits] for hits in (one.before, one.after))
    return {"query": one.query, "overlap": one.overlap, "before": before, "after": after}
