"""What `sidecar ingest` says at its beginning and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import echo_json
from sidecar.cli.printable import echo, escape
from sidecar.ingest.loading.counts import Ending, Summary
from sidecar.ingest.loading.job import Job
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.run import Beginning
from sidecar.ingest.sources.locations import STANDARD_INPUT


def exit_status(summary: Summary) -> ExitStatus:
    """The command's, by the outcome of the whole job."""
    if summary.ending is Ending.INTERRUPTED:
        return ExitStatus.STOPPED
    if summary.ending is Ending.STOPPED:
        return ExitStatus.FAILED
    return ExitStatus.PROBLEMS if summary.total.failed else ExitStatus.DONE


def tell_beginning(console: Console, plan: LoadPlan, beginning: Beginning, job: Job) -> None:
    """Say where the documents go, and whether the run goes on behind an earlier one."""
    if beginning.index_is_new:
        console.print(f"Index {escape(plan.index)} is made")
    if beginning.is_going_on and not beginning.is_done:
        console.print(f"Job {escape(job.name)} goes on behind {job.counts.documents:,} documents")


@dataclass(frozen=True)
class Outcome:
    """How a run of a load has ended. ``unmet_fields`` were to be embedded, and no document of the index has them."""

    summary: Summary
    plan: LoadPlan
    job: Job
    unmet_fields: Sequence[str] = ()


def tell_outcome(outcome: Outcome, dead_letters: Path, *, as_json: bool) -> None:
    """Write the summary to the standard output; how to go on, and what was not found, to that of errors."""
    summary, plan = outcome.summary, outcome.plan
    total = summary.total
    if as_json:
        echo_json(_as_json(outcome, dead_letters))
    elif summary.ending is Ending.ALREADY_DONE:
        echo(f"Loaded already into {plan.index}: {total.written:,} documents, {total.failed:,} failed")
    else:
        kept = f", {total.kept:,} were there already" if total.kept else ""
        echo(
            f"{total.written:,} documents written to {plan.index}{kept}, {total.failed:,} failed "
            f"({summary.run.documents:,} in this run, {summary.seconds:.1f} s, "
            f"{summary.documents_per_second:,.0f} docs/s)"
        )
    for name in outcome.unmet_fields:
        echo(f"Field {name} was to be embedded, and no document of {plan.index} has it", err=True)
    if total.failed:
        echo(f"The documents that failed, each with its reason, are in {dead_letters}", err=True)
    if summary.ending is Ending.ALREADY_DONE:
        echo("Load it all again with --replace, or with --only-new what is not in the index.", err=True)
    if summary.reason is not None:
        echo(f"Stopped: {summary.reason}", err=True)
    if summary.ending in (Ending.STOPPED, Ending.INTERRUPTED):
        echo(_how_to_go_on(plan), err=True)


def _how_to_go_on(plan: LoadPlan) -> str:
    if plan.source.location == STANDARD_INPUT:
        return (
            "Standard input can't be taken up: send all of it again. Documents get the same ids as before, so that "
            "none is there twice."
        )
    return "Start it again with the same options: it goes on where it was."


def _as_json(outcome: Outcome, dead_letters: Path) -> dict[str, Any]:
    summary = outcome.summary
    total = summary.total
    return {
        "index": outcome.plan.index,
        "job": outcome.job.name,
        "ending": summary.ending.value,
        "reason": summary.reason,
        "written": total.written,
        "kept": total.kept,
        "failed": total.failed,
        "dead_letters": str(dead_letters) if total.failed else None,
        "fields_not_found": list(outcome.unmet_fields),
        "documents_in_this_run": summary.run.documents,
        "seconds": round(summary.seconds, 3),
        "documents_per_second": round(summary.documents_per_second, 1),
    }
