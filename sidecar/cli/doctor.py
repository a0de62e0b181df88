"""``sidecar doctor``: what is wrong with what the sidecar needs, and what to do."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import json_option
from sidecar.doctor.registry import CHECKS

_WIDTH = max(map(len, CHECKS))

doctor = Deferred(
    "doctor",
    "sidecar.cli.doctor_run:doctor",
    params=[
        click.Argument(["checks"], nargs=-1, metavar="[CHECK]...", type=click.Choice(list(CHECKS))),
        click.Option(
            ["--home"],
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder for caches, the node and its data. [SIDECAR_HOME]",
        ),
        json_option(),
    ],
    short_help="Look what is wrong with this machine, the settings, the cluster and the models.",
    help="Look at what the sidecar needs on this machine, and say what is wrong and what to do. It only looks: nothing "
    "is started, downloaded or changed, and no password or key is told.\n\n"
    f"Ends with status {ExitStatus.DONE} where nothing is wrong, also where there are warnings, and "
    f"{ExitStatus.PROBLEMS} where something is.\n\n"
    "Each CHECK that is named is made, and all of them where none is:\n\n\b\n"
    + "\n".join(f"{name:<{_WIDTH}}  {check.question}" for name, check in CHECKS.items()),
)
