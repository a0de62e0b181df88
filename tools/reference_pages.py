"""Writes the pages of docs/reference/, each wholly from the code that it describes.

``python tools/reference_pages.py`` brings them up to date; with ``--check`` it only tells whether they are (exit
status 1 where they are not).
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import readme_tables
import reference_commands
import reference_routes

from sidecar.cli.serve import serve
from sidecar.config import Settings, environment_name
from sidecar.embedding.model_table import read_table

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Made by tools/reference_pages.py: change the code, then run it. -->\n"

_SETTINGS = """Each is an environment variable, may stand in a file named `.env` in the working folder, and is an
option of `sidecar serve`. The option wins over the environment, the environment over the file. Commands
that work on this machine, as `sidecar ingest`, read the same variables. An unknown `SIDECAR_` name, or
a bad value, stops the start. Lists and objects are JSON.

"""
_ERRORS = """An error is a JSON object of `message`, `code`, `type` and `link`. `type` is `invalid_request` where the
client can mend it, `internal` or `backend_error` where it can't. In a batch, an item that failed has
`error` (the message), `status` and `code`. [The README](../../README.md#errors) has an example, and the
three kinds that look otherwise.

"""
_METRICS = """`GET /metrics` gives these in Prometheus' text format, beside those of the process that its client
library counts. Histograms have the samples `…_bucket`, `…_sum` and `…_count`.

"""
_MODELS = """The {count} names that need no `model_properties`. [Models](../models.md) says how to choose among them,
and how to use any other. *Tokens* is how much of a text a model reads; the prefixes are put before each
query and each chunk unless the index has its own.

"""

_GROUP = re.compile(r"^    # (.+)$")
_FIELD = re.compile(r"^    (\w+): ")
_UNITS = {"Seconds": "seconds", "Days": "days", "Gigabytes": "gigabytes"}
_TYPES: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "path"}


def settings_page() -> str:
    """Every setting by its group: variable, option, type with unit and range, default, meaning."""
    options = {parameter.name: parameter.opts[0] for parameter in serve.params}
    parts = [
        _head("Settings"),
        _SETTINGS,
    ]
    for group, names in _groups():
        rows = [
            (
                readme_tables.code(environment_name(name)),
                readme_tables.code(options.get(name, "")),
                _type_of(name),
                readme_tables.default_of(name),
                Settings.model_fields[name].description or "",
            )
            for name in names
        ]
        parts.append(f"## {group}\n\n")
        parts.append(readme_tables.table(("Variable", "Option", "Type", "Default", "Meaning"), rows) + "\n")
    return "".join(parts)


def _groups() -> Iterator[tuple[str, list[str]]]:
    """The comments that part the class of the settings, with the names of the settings below each."""
    group, names = "", list[str]()
    for line in inspect.getsource(Settings).splitlines():
        found = _GROUP.match(line)
        if found:
            if names:
                yield group, names
            group, names = found[1], []
        elif (field := _FIELD.match(line)) and field[1] in Settings.model_fields:
            names.append(field[1])
    yield group, names


def _type_of(name: str) -> str:
    field = Settings.model_fields[name]
    annotation = field.annotation
    if type(None) in get_args(annotation):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    origin = get_origin(annotation)
    if origin is Literal:
        return "one of " + ", ".join(readme_tables.code(value) for value in get_args(annotation))
    if origin in {tuple, dict}:
        return "list" if origin is tuple else "object"
    return " ".join(filter(None, (_TYPES[annotation] + _unit_of(name), _range_of(field.metadata))))


def _unit_of(name: str) -> str:
    description = Settings.model_fields[name].description or ""
    last = name.rpartition("_")[2]
    unit = _UNITS.get(description.split()[0], last if last in {"bytes", "pixels", "timeout", "interval"} else "")
    return " of seconds" if unit in {"timeout", "interval"} else f" of {unit}" if unit else ""


def _range_of(metadata: list[Any]) -> str:
    limits = {key: getattr(each, key) for each in metadata for key in ("ge", "gt", "le") if hasattr(each, key)}
    least, most = limits.get("ge"), limits.get("le")
    if most is not None:
        return f"from {least} to {most}"
    if least is not None:
        return f"from {least}"
    return f"over {limits['gt']}" if "gt" in limits else ""


def errors_page() -> str:
    """Every status and code, and the other forms of errors."""
    return _head("Errors") + _ERRORS + readme_tables.errors_table()


def metrics_page() -> str:
    """Every metric of the sidecar's own."""
    return _head("Metrics") + _METRICS + readme_tables.metrics_table()


def models_page() -> str:
    """Every model known by name."""
    return _head("Models") + _MODELS.format(count=len(read_table())) + readme_tables.models_table()


def _head(title: str) -> str:
    return f"# {title}\n\n{NOTE}\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "commands": lambda: _head("Command line") + reference_commands.commands(),
    "routes": lambda: _head("Routes") + reference_routes.routes(),
    "errors": errors_page,
    "metrics": metrics_page,
    "models": models_page,
}


def main(arguments: list[str]) -> int:
    """Bring the pages up to date, or with ``--check`` only look. Returns the exit status."""
    status = 0
    for name, make in PAGES.items():
        path, wanted = FOLDER / f"{name}.md", make().rstrip("\n") + "\n"
        if arguments != ["--check"]:
            path.write_text(wanted, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != wanted:
            print(f"docs/reference/{name}.md is out of date: run python tools/reference_pages.py", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
