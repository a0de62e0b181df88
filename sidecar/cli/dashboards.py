"""``sidecar dashboards``: what OpenSearch Dashboards, Grafana and Prometheus watch the sidecar with."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from sidecar.config import load_settings
from sidecar.dashboards import DEFAULT_INDEX, Destination, grafana_dashboard, prometheus_alerts, saved_objects
from sidecar.dashboards import install as import_objects
from sidecar.errors import SidecarError

INDEX = click.option(
    "--index", metavar="NAME", help=f"The metrics index. [SIDECAR_METRICS_INDEX, else {DEFAULT_INDEX}]"
)


@click.group()
def dashboards() -> None:
    """Draw the sidecar's metrics in OpenSearch Dashboards or Grafana."""


@dashboards.command()
@click.option(
    "--url",
    default="http://localhost:5601",
    show_default=True,
    help="OpenSearch Dashboards, with user and password if it wants them.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the authorities that sign the certificate of Dashboards.",
)
@click.option("--tenant", help="Tenant of the Security plugin that gets them, as global.")
@INDEX
def install(url: str, ca_file: Path | None, tenant: str | None, index: str | None) -> None:
    """Import the index pattern, the visualizations and the dashboard; those of an earlier version are replaced."""
    try:
        titles = import_objects(Destination(url, ca_file, tenant), saved_objects(_index(index)))
        configured = load_settings().metrics_index
    except SidecarError as error:
        raise click.ClickException(error.message) from error
    for title in titles:
        click.echo(title)
    if configured is None:
        click.echo(f"They stay empty until a sidecar runs with SIDECAR_METRICS_INDEX={_index(index)}.")


@dashboards.command()
@click.argument("file", type=click.File("wb"))
@INDEX
def export(file: BinaryIO, index: str | None) -> None:
    """Write the saved objects to FILE (- for standard output), to be imported by hand."""
    try:
        file.write(saved_objects(_index(index)))
    except SidecarError as error:
        raise click.ClickException(error.message) from error


@dashboards.command()
@click.argument("file", type=click.File("wb"))
def grafana(file: BinaryIO) -> None:
    """Write the dashboard for Grafana to FILE (- for standard output)."""
    file.write(grafana_dashboard())


@dashboards.command()
@click.argument("file", type=click.File("wb"))
def alerts(file: BinaryIO) -> None:
    """Write alerting rules for Prometheus to FILE (- for standard output)."""
    file.write(prometheus_alerts())


def _index(given: str | None) -> str:
    return given or load_settings().metrics_index or DEFAULT_INDEX
