"""The work of `sidecar evaluate`."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.command_settings import command_settings
from sidecar.cli.consoles import table_console
from sidecar.cli.evaluate_bar import EvaluateBar
from sidecar.cli.evaluate_options import Asked
from sidecar.cli.evaluate_served import served_sidecar
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.local_app import local_app
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.evaluation.choices import complete_all, expand
from sidecar.evaluation.data.collection import Collection
from sidecar.evaluation.data.opening import open_collection
from sidecar.evaluation.data.stored import read_stored
from sidecar.evaluation.models import Models
from sidecar.evaluation.output_folder import OutputFolder
from sidecar.evaluation.parts import EvaluationParts, read_cluster_uuid
from sidecar.evaluation.plan_file import read_plan
from sidecar.evaluation.results import Evaluation
from sidecar.evaluation.run import RunOptions, run_evaluation
from sidecar.evaluation.sidecar_http import ServedSidecar
from sidecar.opensearch.bulk_writer import BulkWriter


def evaluate(given: Mapping[str, Any]) -> int:
    """Measure, or compare what was measured; a `Work`."""
    asked = Asked(**given)
    asked.check()
    if asked.compare is not None:
        _compare(*asked.compare)
        return ExitStatus.DONE
    try:
        with stopped_by_signals(_interrupt):
            _tell(_evaluate(asked), asked)
    except KeyboardInterrupt:
        echo("Stopped: what is finished is saved. The same command goes on.", err=True)
        return ExitStatus.STOPPED
    return ExitStatus.DONE


def _evaluate(asked: Asked) -> Evaluation:
    console = Console(stderr=True, highlight=False)
    plan = None if asked.plan is None else read_plan(asked.plan)
    wished = expand(asked.grid()) if plan is None else plan.choices
    described = {**({} if plan is None else plan.properties), **asked.described_models()}
    settings = command_settings().model_copy(update={"metrics_index": None})
    with local_app(settings, console) as app:
        services: Services = app.extensions[EXTENSION]
        models = Models(services.table, described)
        collection = open_collection(
            asked.wish(), lambda index, fields: read_stored(services.cluster, services.states, index, fields)
        )
        _tell_data(console, collection)
        if plan is not None:
            plan.check(models, collection.kind)
        choices = complete_all(wished, models, collection.kind)
        with EvaluateBar(console) as bar:
            parts = _parts(services, models, bar, collection.folder)
            run_options = RunOptions(is_fresh=asked.fresh, keeps_indexes=asked.keep_indexes)
            return run_evaluation(parts, collection, choices, OutputFolder(asked.output), run_options)


def _parts(services: Services, models: Models, bar: EvaluateBar, pictures: Path | None) -> EvaluationParts:
    settings = services.settings
    folder = settings.home / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    cluster_uuid = read_cluster_uuid(services.cluster)

    def serve() -> AbstractContextManager[ServedSidecar]:
        return served_sidecar(settings, folder, pictures)

    return EvaluationParts(
        cluster=services.cluster,
        states=services.states,
        bulk=BulkWriter(services.cluster, retry_deadline_seconds=settings.opensearch_retry_deadline),
        models=models,
        serve=serve,
        progress=bar,
        folder=folder,
        runtime=f"{settings.backend}-{(settings.device or 'any').replace(':', '')}",
        owner=f"{platform.node()} {settings.home} {cluster_uuid}",
        cluster_uuid=cluster_uuid,
    )


def _tell_data(console: Console, collection: Collection) -> None:
    facts = collection.facts
    console.print(
        f"{facts.name}: {facts.documents:,} documents, {facts.queries:,} queries, {facts.judgements:,} judgements",
        markup=False,
    )
    if collection.unknown_documents:
        console.print(
            f"{collection.unknown_documents:,} judgements are of documents that are not there: nothing finds them"
        )


def _tell(evaluation: Evaluation, asked: Asked) -> None:
    from sidecar.evaluation.report.advice import advice_on
    from sidecar.evaluation.report.files import write_evaluation
    from sidecar.evaluation.report.table import table_for

    paths = write_evaluation(evaluation, asked.output)
    if asked.json:
        path = next(path for path in paths if path.suffix == ".json")
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    console = table_console()
    console.print(table_for(console, evaluation))
    echo(advice_on(evaluation))
    echo(f"Written: {', '.join(map(str, paths))}", err=True)


def _compare(first: Path, second: Path) -> None:
    from sidecar.evaluation.report.comparison import compare, comparison_table
    from sidecar.evaluation.report.files import read_evaluation

    table_console().print(comparison_table(compare(read_evaluation(first), read_evaluation(second))))


def _interrupt() -> None:
    raise KeyboardInterrupt
