"""The command line: one module per command, imported when its command is called."""

from __future__ import annotations

from importlib import import_module

import click

from sidecar import __version__

COMMANDS = {
    "serve": ("sidecar.cli.serve", "Run the server."),
    "demo": ("sidecar.cli.demo", "Index Python's own documentation, and search it by meaning."),
    "ingest": ("sidecar.cli.ingest", "Bring a source of documents into an index, exactly and once."),
    "migrate": ("sidecar.cli.migrate", "Move an index to another model, or give it vectors for a new field."),
    "export": ("sidecar.cli.export", "Write an index's documents to files, with or without their vectors."),
    "verify": ("sidecar.cli.verify", "Look whether every document has the vectors that it should."),
    "evaluate": ("sidecar.cli.evaluate", "Compare models and ways of searching on your own data."),
    "models": ("sidecar.cli.models", "List, fetch, convert and measure models."),
    "dashboards": ("sidecar.cli.dashboards", "Draw the sidecar's metrics in OpenSearch Dashboards."),
    "opensearch": ("sidecar.cli.opensearch", "Start, stop or look at the OpenSearch on this machine."),
}
"""Each command's module, which has a click command of the same name, and its line in the help."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called, so that help comes at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="sidecar")
def main() -> None:
    """Semantic search for OpenSearch."""
