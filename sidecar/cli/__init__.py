"""The command line: one module per command, imported when its command is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from sidecar import __version__
from sidecar.cli.shells import register_shells

COMMANDS = {
    "serve": ("sidecar.cli.serve", "Run the server."),
    "demo": ("sidecar.cli.demo", "Index Python's own documentation, and search it by meaning."),
    "ingest": ("sidecar.cli.ingest", "Bring a source of documents into an index, exactly and once."),
    "migrate": ("sidecar.cli.migrate", "Move an index to another model, or give it vectors for a new field."),
    "export": ("sidecar.cli.export", "Write an index's documents to files, with or without their vectors."),
    "verify": ("sidecar.cli.verify", "Look whether every document has the vectors that it should."),
    "evaluate": ("sidecar.cli.evaluate", "Compare models and ways of searching on your own data."),
    "models": ("sidecar.cli.models", "List, fetch, convert and measure models."),
    "dashboards": ("sidecar.cli.dashboards", "Draw the sidecar's metrics in OpenSearch Dashboards or Grafana."),
    "opensearch": ("sidecar.cli.opensearch", "Start, stop or look at the OpenSearch on this machine."),
    "doctor": ("sidecar.cli.doctor", "Look what is wrong with this machine, the settings, the cluster and the models."),
    "completion": ("sidecar.cli.completion", "Print the script by which a shell completes this command."),
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command and its arguments. Raises: NoSuchCommand with the nearest names."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong in it is one line and an exit status."""
        from sidecar.cli.ending import ended_plainly

        with ended_plainly():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands that begin so, with their lines, without importing any; and the group's own options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="sidecar")
def main() -> None:
    """Semantic search for OpenSearch."""


register_shells()
