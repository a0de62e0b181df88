"""``sidecar demo``: the documentation of Python's standard library, indexed and searched by meaning."""

from __future__ import annotations

import click

from sidecar.cli.deferred import Deferred
from sidecar.cli.json_output import json_option

demo = Deferred(
    "demo",
    "sidecar.cli.demo_run:demo",
    params=[
        click.Option(
            ["--documents"],
            type=click.IntRange(min=1),
            help="Index only so many documents, spread over the library; all of them by default.",
        ),
        json_option(),
    ],
    help="Index the documentation of Python's standard library, and search it by meaning.\n\n"
    "It takes about a minute the first time. The index is named python-docs; what is in it already stays as it is.",
)
