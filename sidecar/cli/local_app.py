"""The application that `sidecar serve` runs, for commands that use it in their own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from rich.console import Console
from rich.markup import escape

from sidecar.app import close_app, create_app
from sidecar.config import Settings, load_settings
from sidecar.logs import configure_logging
from sidecar.opensearch import node as nodes


def command_settings(log_level: str = "error") -> Settings:
    """The settings by which a command works, which are also those of its logs: quieter than a server's, unless the user
    says otherwise."""
    settings = load_settings(log_level=log_level)
    configure_logging(settings.log_level, settings.log_format)
    return settings


@contextmanager
def local_app(settings: Settings, console: Console) -> Iterator[Flask]:
    """The app on the cluster of the settings, or on the embedded node, which is started where it does not run."""
    if not settings.uses_embedded_node:
        app = create_app(settings)
        try:
            yield app
        finally:
            close_app(app)
        return
    with console.status("OpenSearch starts") as status:
        node = nodes.ensure_running(settings, on_progress=lambda progress: status.update(escape(progress.text)))
    console.print(f"OpenSearch {node.version} at {node.url}")
    app = create_app(settings.model_copy(update={"opensearch_url": node.url}))
    try:
        yield app
    finally:
        close_app(app)
        node.release()
