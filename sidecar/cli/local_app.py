"""The application that `sidecar serve` runs, for commands that use it in their own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from rich.console import Console

from sidecar.app import close_app, create_app
from sidecar.cli.command_settings import command_settings
from sidecar.cli.consoles import node_progress
from sidecar.config import Settings
from sidecar.opensearch import node as nodes

__all__ = ["command_settings", "local_app"]


@contextmanager
def local_app(settings: Settings, console: Console) -> Iterator[Flask]:
    """The app on the cluster of the settings, or on the embedded node, which is started where it does not run.

    What is there for a server's clients is left out: a command loads the models that it needs, and gives no key.
    """
    settings = settings.model_copy(update={"preload_models": (), "api_keys": ()})
    if not settings.uses_embedded_node:
        app = create_app(settings)
        try:
            yield app
        finally:
            close_app(app)
        return
    with node_progress(console) as report:
        node = nodes.ensure_running(settings, on_progress=report)
    console.print(f"OpenSearch {node.version} at {node.url}")
    app = create_app(settings.model_copy(update={"opensearch_url": node.url}))
    try:
        yield app
    finally:
        close_app(app)
        node.release()
