"""``sidecar opensearch``: the embedded node by hand."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from sidecar.config import Settings, load_settings
from sidecar.errors import SidecarError
from sidecar.opensearch import node as nodes
from sidecar.opensearch.node import Progress

HOME = click.option("--home", type=click.Path(path_type=Path), help="Folder for caches, the node and its data.")


@click.group()
def opensearch() -> None:
    """Start, stop or look at the OpenSearch that the sidecar runs on this machine."""


@opensearch.command()
@click.option("--ephemeral", is_flag=True, help="A node of its own, with data that goes with it; until Ctrl-C.")
@click.option("--node-port", type=int, help="HTTP port; 0: any free one.")
@click.option("--node-heap", help="Java heap, as 512m or 2g.")
@click.option("--node-data", type=click.Path(path_type=Path), help="Data folder.")
@click.option("--node-version", help="OpenSearch version.")
@click.option("--java-home", type=click.Path(path_type=Path), help="JDK, 21 or later.")
@HOME
def start(
    ephemeral: bool,
    node_port: int | None,
    node_heap: str | None,
    node_data: Path | None,
    node_version: str | None,
    java_home: Path | None,
    home: Path | None,
) -> None:
    """Start the node; it runs on until `sidecar opensearch stop`."""
    with _told_plainly():
        settings = load_settings(
            node_port=node_port,
            node_heap=node_heap,
            node_data=node_data,
            node_version=node_version,
            java_home=java_home,
            home=home,
        )
        if ephemeral:
            _run_ephemeral(settings)
            return
        with _ProgressLine() as line:
            node = nodes.start_by_hand(settings, on_progress=line)
    already = "" if node.started_by_us else " (it ran already)"
    click.echo(f"OpenSearch {node.version} runs at {node.url}{already}, process {node.pid}, data in {node.data}.")


@opensearch.command()
@HOME
def stop(home: Path | None) -> None:
    """Stop the node, whoever uses it; its data stays."""
    with _told_plainly():
        pid = nodes.stop(load_settings(home=home))
    click.echo("No embedded OpenSearch runs." if pid is None else f"OpenSearch stopped (process {pid}).")


@opensearch.command()
@HOME
def status(home: Path | None) -> None:
    """Tell whether the node runs, where, and who uses it; exits with 3 where it does not run."""
    with _told_plainly():
        found = nodes.status(load_settings(home=home))
    if found is None:
        click.echo("No embedded OpenSearch runs.")
        sys.exit(3)  # as `systemctl status` does
    click.echo(f"OpenSearch {found.version} {'runs' if found.ready else 'is starting'} at {found.url}")
    click.echo(f"process  {found.pid}, {'started by hand' if found.by_hand else 'stops with its last user'}")
    click.echo(f"used by  {', '.join(f'process {pid}' for pid in found.users) or 'no sidecar'}")
    click.echo(f"data     {found.data}")
    click.echo(f"log      {found.log}")


def _run_ephemeral(settings: Settings) -> None:
    """Run an ephemeral node until Ctrl-C or SIGTERM, and leave nothing behind."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _ProgressLine() as line:
            node = nodes.ensure_running(settings, ephemeral=True, on_progress=line)
        with node:
            click.echo(f"OpenSearch {node.version} runs at {node.url}, process {node.pid}; Ctrl-C removes it.")
            signal.pause()
    except KeyboardInterrupt:
        click.echo("OpenSearch stopped, its data removed.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _ProgressLine:
    """Shows progress on one line of a terminal, and each step once where there is none."""

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, progress: Progress) -> None:
        text = progress.text
        if not sys.stderr.isatty():
            if text != self._shown:
                click.echo(text, err=True)
        elif (line := text if progress.fraction is None else f"{text} {progress.fraction:.0%}") != self._shown:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
            text = line
        self._shown = text

    def __enter__(self) -> _ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """An error of ours as one line and exit status 1, without a traceback."""
    try:
        yield
    except SidecarError as error:
        raise click.ClickException(error.message) from error
