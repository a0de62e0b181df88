"""``sidecar models``: what models there are, and their files on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.completing import complete_models
from sidecar.cli.deferred import Deferred
from sidecar.cli.json_output import json_option
from sidecar.embedding.kinds import LOADERS
from sidecar.embedding.model_spec import PRECISIONS

_HOME = click.Option(
    ["--home"],
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with the converted models, in `models`. [SIDECAR_HOME]",
)
_NAME = click.Argument(["name"], shell_complete=complete_models)
_PROPERTIES = click.Option(
    ["--properties"], metavar="JSON", help="Its model_properties, where the model is not in the table."
)

list_models = Deferred(
    "list",
    "sidecar.cli.models_run:list_models",
    params=[
        click.Option(["--cached"], is_flag=True, help="Only those with files on this machine."),
        click.Option(["--loader"], type=click.Choice(list(LOADERS)), help="Only those of this loader."),
        _HOME,
        json_option(),
    ],
    help="Every model known by name: loader, dimensions, size, and what of it is on this machine.",
)

show = Deferred(
    "show",
    "sidecar.cli.models_run:show",
    params=[_NAME, _PROPERTIES, _HOME, json_option()],
    help="All that is known of model NAME.",
)

pull = Deferred(
    "pull",
    "sidecar.cli.models_run:pull",
    params=[_NAME, _PROPERTIES, _HOME, json_option()],
    help="Fetch the weights of model NAME, so that its first use need not wait for them.",
)

convert = Deferred(
    "convert",
    "sidecar.cli.models_run:convert",
    params=[
        _NAME,
        _PROPERTIES,
        click.Option(["--precision"], type=click.Choice(PRECISIONS), help="What to convert it to; float32 by default."),
        _HOME,
        json_option(),
    ],
    help="Fetch model NAME and convert it, so that a server starts with it at once.",
)

bench = Deferred(
    "bench",
    "sidecar.cli.models_run:bench",
    params=[
        _NAME,
        _PROPERTIES,
        click.Option(
            ["--seconds"],
            type=click.FloatRange(min=0, min_open=True),
            default=3.0,
            show_default=True,
            help="How long to measure each rate.",
        ),
        _HOME,
        json_option(),
    ],
    help="Measure model NAME on this machine: rate and latency, by backend and precision.",
)

models = click.Group(
    "models", commands=[list_models, show, pull, convert, bench], help="List, fetch, convert and measure models."
)
