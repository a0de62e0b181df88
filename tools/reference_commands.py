"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from readme_tables import code, table

from sidecar.cli import main

_INTRODUCTION = (
    "`sidecar --help` lists the commands, `sidecar COMMAND --help` the options of one. What else they need, as the\n"
    "cluster's address, are [settings](settings.md) in the environment.\n\n"
)


def commands() -> str:
    """Every command: how it is called, what it does, its arguments and options."""
    return _INTRODUCTION + "".join(_described(main, click.Context(main, info_name="sidecar")))


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    if command is not main:
        yield f"{'#' * (context.command_path.count(' ') + 1)} {context.command_path}\n\n"
        yield f"`{_usage(command, context)}`\n\n"
        yield _help(command)
        yield _options(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from _described(found, click.Context(found, info_name=name, parent=context))


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def _help(command: click.Command) -> str:
    text = inspect.cleandoc(command.help or command.short_help or "").replace("\b\n", "").replace("\f", "")
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return "".join(f"{paragraph}\n\n" for paragraph in paragraphs if paragraph)


def _options(command: click.Command) -> str:
    if command.name == "serve":
        return "Its options are the [settings](settings.md).\n\n"
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    rows = [(_spelling(option), _default(option), _meaning(option)) for option in options]
    return table(("Option", "Default", "Meaning"), rows) + "\n" if rows else ""


def _spelling(option: click.Option) -> str:
    names = ", ".join(map(code, [*option.opts, *option.secondary_opts]))
    if option.is_flag or option.count:
        return names
    kind = option.type
    values = ", ".join(map(code, map(str, kind.choices))) if isinstance(kind, click.Choice) else ""
    return f"{names} {values or code(option.metavar or kind.name.partition(' ')[0].upper())}"


def _default(option: click.Option) -> str:
    value = option.to_info_dict()["default"]
    is_told = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return code(str(value)) if is_told else ""


def _meaning(option: click.Option) -> str:
    told = " ".join((option.help or "").split()).replace("|", "\\|")
    needed = " Required." if option.required else ""
    again = " May be given several times." if option.multiple else ""
    return told + needed + again
