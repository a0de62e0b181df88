"""``sidecar dashboards``: what OpenSearch Dashboards, Grafana and Prometheus watch the sidecar with."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.deferred import Deferred
from sidecar.cli.json_output import json_option
from sidecar.dashboards import DEFAULT_INDEX

_INDEX = click.Option(
    ["--index"], metavar="NAME", help=f"The metrics index. [SIDECAR_METRICS_INDEX, else {DEFAULT_INDEX}]"
)

install = Deferred(
    "install",
    "sidecar.cli.dashboards_run:install",
    params=[
        click.Option(
            ["--url"],
            default="http://localhost:5601",
            show_default=True,
            help="OpenSearch Dashboards, with user and password if it wants them.",
        ),
        click.Option(
            ["--ca-file"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="PEM file of the authorities that sign the certificate of Dashboards.",
        ),
        click.Option(["--tenant"], help="Tenant of the Security plugin that gets them, as global."),
        _INDEX,
        json_option(),
    ],
    short_help="Import the dashboard and what it is made of.",
    help="Import the index pattern, the visualizations and the dashboard; those of an earlier version are replaced.",
)

_FILE = click.Argument(["file"], type=click.File("wb"))
_JSON = json_option("Write what was written as JSON to standard output; to that of errors where FILE is -.")

export = Deferred(
    "export",
    "sidecar.cli.dashboards_run:export",
    params=[_FILE, _INDEX, _JSON],
    short_help="Write the saved objects to a file.",
    help="Write the saved objects to FILE (- for standard output), to be imported by hand.",
)

grafana = Deferred(
    "grafana",
    "sidecar.cli.dashboards_run:grafana",
    params=[_FILE, _JSON],
    short_help="Write a dashboard for Grafana to a file.",
    help="Write the dashboard for Grafana to FILE (- for standard output).",
)

alerts = Deferred(
    "alerts",
    "sidecar.cli.dashboards_run:alerts",
    params=[_FILE, _JSON],
    short_help="Write alerting rules for Prometheus to a file.",
    help="Write alerting rules for Prometheus to FILE (- for standard output).",
)

dashboards = click.Group(
    "dashboards",
    commands=[install, export, grafana, alerts],
    help="Draw the sidecar's metrics in OpenSearch Dashboards or Grafana.",
)
