"""The work of `sidecar ingest`."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from sidecar.cli.consoles import progress_console
from sidecar.cli.ending import CommandFailed
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.ingest import RAY
from sidecar.cli.ingest_options import Asked, plan_of, wish_of
from sidecar.cli.ingest_outcome import Outcome, exit_status, tell_beginning, tell_outcome
from sidecar.cli.load_bar import LoadBar
from sidecar.cli.load_parts import open_load_parts
from sidecar.cli.local_app import command_settings
from sidecar.cli.stopping import stopped_by_signals
from sidecar.config import Settings
from sidecar.errors import reason_of
from sidecar.ingest.loading.batch_loader import BatchLoader
from sidecar.ingest.loading.counts import Ending, Summary
from sidecar.ingest.loading.job import Job, open_job
from sidecar.ingest.loading.local_runner import LocalRunner
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.progress import LoadProgress
from sidecar.ingest.loading.run import begin, run
from sidecar.ingest.sources.locations import local_path
from sidecar.ingest.sources.registry import open_source
from sidecar.ingest.sources.source import Part

_TOLD_OTHERWISE = ("sidecar.embedding.engine", "sidecar.opensearch.bulk_sender")
"""Loggers of what the dead letters and the progress bar tell: a model that fails, a cluster that refuses writes."""


class Runner(Protocol):
    """One run of a job, by either engine."""

    def run(self, parts: Sequence[Part]) -> Summary:
        """Load what is left of the parts."""

    def stop(self) -> None:
        """End the run early."""


def ingest(given: Mapping[str, Any]) -> int:
    """Bring a source into an index; a `Work`."""
    asked = Asked(**given)
    load = asked.load()
    plan = plan_of(load)
    settings = _with_folder_of_images(command_settings("warning"), plan)
    for name in _TOLD_OTHERWISE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    source = open_source(plan.source)
    console = progress_console()
    with open_load_parts(settings) as parts:
        if asked.dry_run:
            from sidecar.cli.dry_run import show_dry_run

            return show_dry_run(parts, plan, wish_of(load), source, documents=asked.documents, as_json=asked.json)
        with open_job(settings.home, plan, asked.job) as job:
            beginning = begin(parts, plan, wish_of(load), source, job)
            tell_beginning(console, plan, beginning, job)

            def work(read: Sequence[Part]) -> Summary:
                with (
                    LoadBar(console) as bar,
                    _runner(asked, plan, parts, job, bar) as runner,
                    _stopping(runner, console),
                ):
                    return runner.run(read)

            summary = run(parts, plan, job, beginning, work)
            outcome = Outcome(summary, plan, job, _unmet_fields(parts, plan, summary))
            tell_outcome(outcome, asked.dead_letters or job.dead_letters, as_json=asked.json)
            if asked.dead_letters is not None:
                _copy_dead_letters(job, asked.dead_letters)
    return exit_status(summary)


def _unmet_fields(parts: LoadParts, plan: LoadPlan, summary: Summary) -> list[str]:
    """The fields to be embedded that no document of the index has, as one that is misspelt."""
    if summary.ending is not Ending.DONE or not summary.total.written:
        return []
    there = parts.states.get(plan.index, is_fresh=True).embedded_fields
    return [name for name in plan.shape.embedded_fields if name not in there]


@contextmanager
def _runner(asked: Asked, plan: LoadPlan, parts: LoadParts, job: Job, progress: LoadProgress) -> Iterator[Runner]:
    if asked.engine == RAY:
        from sidecar.ingest.ray_engine.crew import CrewWish
        from sidecar.ingest.ray_engine.runner import RayRunner

        wish = CrewWish(parts.settings, open_load_parts, asked.workers, asked.patience)
        yield RayRunner(wish, plan, job, progress)
        return
    with BatchLoader(parts, plan) as loader:
        loader.prepare()
        yield LocalRunner(loader, job, plan, progress, patience_seconds=asked.patience)


@contextmanager
def _stopping(runner: Runner, console: Console) -> Iterator[None]:
    def stop() -> None:
        console.print("Stopping: what is done is saved. Once more to end at once.")
        runner.stop()

    with stopped_by_signals(stop):
        yield


def _with_folder_of_images(settings: Settings, plan: LoadPlan) -> Settings:
    """The images of a folder that the user names may be read, whichever folders the operator has opened."""
    path = local_path(plan.source.location)
    if path is None or not plan.shape.image_fields or not Path(path).is_dir():
        return settings
    folder = Path(path).expanduser().resolve()
    return settings.model_copy(update={"media_roots": (*settings.media_roots, folder)})


def _copy_dead_letters(job: Job, wanted: Path) -> None:
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.dead_letters, wanted)
    except OSError as error:
        raise CommandFailed(
            f"--dead-letters: {wanted} can't be written ({reason_of(error)}); what failed is in {job.dead_letters}.",
            ExitStatus.FAILED,
        ) from error
