"""``sidecar opensearch``: the embedded node by hand."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import json_option

_FOLDER = click.Path(path_type=Path, file_okay=False)
_HOME = click.Option(["--home"], type=_FOLDER, help="Folder for caches, the node and its data. [SIDECAR_HOME]")

start = Deferred(
    "start",
    "sidecar.cli.opensearch_run:start",
    params=[
        click.Option(["--ephemeral"], is_flag=True, help="A node of its own, with data that goes with it, to Ctrl-C."),
        click.Option(["--node-port"], type=int, help="HTTP port; 0: any free one. [SIDECAR_NODE_PORT]"),
        click.Option(["--node-heap"], metavar="SIZE", help="Java heap, as 512m or 2g. [SIDECAR_NODE_HEAP]"),
        click.Option(["--node-data"], type=_FOLDER, help="Data folder. [SIDECAR_NODE_DATA]"),
        click.Option(["--node-version"], metavar="VERSION", help="OpenSearch version. [SIDECAR_NODE_VERSION]"),
        click.Option(["--java-home"], type=_FOLDER, help="JDK, 21 or later. [OPENSEARCH_JAVA_HOME]"),
        _HOME,
        json_option(),
    ],
    help="Start the node; it runs on until `sidecar opensearch stop`.\n\nThe first start on a machine downloads "
    "OpenSearch, and a JDK where none is installed.",
)

stop = Deferred(
    "stop",
    "sidecar.cli.opensearch_run:stop",
    params=[_HOME, json_option()],
    help="Stop the node, whoever uses it; its data stays.",
)

status = Deferred(
    "status",
    "sidecar.cli.opensearch_run:status",
    params=[_HOME, json_option()],
    help="Tell whether the node runs, where, and who uses it.\n\n"
    f"Ends with status {ExitStatus.FAILED} where it does not run.",
)

opensearch = click.Group(
    "opensearch",
    commands=[start, stop, status],
    help="Start, stop or look at the OpenSearch that the sidecar runs on this machine.",
)
