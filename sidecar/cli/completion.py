"""``sidecar completion``: the script by which a shell completes the command."""

from __future__ import annotations

import click

from sidecar.cli.shells import SHELLS

PROGRAM = "sidecar"
VARIABLE = "_SIDECAR_COMPLETE"
"""By which the script asks; click derives it from the program's name."""
INSTALLING = {
    "bash": """echo 'eval "$(sidecar completion bash)"' >> ~/.bashrc""",
    "zsh": """echo 'eval "$(sidecar completion zsh)"' >> ~/.zshrc""",
    "fish": "sidecar completion fish > ~/.config/fish/completions/sidecar.fish",
}
"""The line that makes it last, for each shell."""


@click.command(
    short_help="Print the script by which a shell completes this command.",
    help="Print the script by which SHELL completes commands, options, and values: models, indexes, files.\n\nTo have "
    "it in every shell that is started from now on:\n\n\b\n"
    + "\n".join(f"{shell:<6}{line}" for shell, line in INSTALLING.items()),
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script."""
    from sidecar.cli import main

    script = SHELLS[shell](main, {}, PROGRAM, VARIABLE).source()
    click.echo(f"{script.rstrip()}\n\n# To have it in every shell:\n#   {INSTALLING[shell]}")
