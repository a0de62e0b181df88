"""Writes the generated tables of the documents: each stands between ``<!-- table: name -->`` and ``<!-- end -->``.

``python tools/readme_tables.py`` brings them up to date; with ``--check`` it only tells whether they are (exit
status 1 where they are not). The tables come from the code that they describe: `sidecar.config`, `sidecar.errors`, the
routes, the metrics, the model table, the exit statuses and the doctor's checks.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unittest import mock

from flask import Blueprint, Flask

import sidecar.api
from sidecar.cli.exit_statuses import MEANINGS
from sidecar.cli.serve import serve
from sidecar.config import Settings, default_home, environment_name
from sidecar.doctor.registry import CHECKS
from sidecar.embedding.model_table import read_table
from sidecar.errors import InvalidRequest, SidecarError
from sidecar.metrics import Metrics

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "docs/command-line.md", "docs/doctor.md")

_SECTION = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BRACES = str.maketrans("<>", "{}")
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def settings_table() -> str:
    """Every setting: its environment variable, its option of ``sidecar serve``, its default and its meaning."""
    options = {parameter.name: parameter.opts[0] for parameter in serve.params}
    rows = [
        (code(environment_name(name)), code(options.get(name, "")), default_of(name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("Variable", "Option", "Default", "Meaning"), rows)


def default_of(name: str) -> str:
    """A setting's default, as documents write it."""
    field = Settings.model_fields[name]
    value = _default_home() if name == "home" else field.get_default(call_default_factory=True)
    if value is None or value in ("", (), {}):
        return "unset"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, float) else str(value))


def _default_home() -> str:
    """The home folder as any user finds it, whoever runs this."""
    with mock.patch.dict(os.environ, {"HOME": "/~"}):
        os.environ.pop("XDG_CACHE_HOME", None)
        return str(default_home()).removeprefix("/")


def models_table() -> str:
    """Every model known by name."""
    rows = [
        (
            code(spec.name),
            code(spec.loader),
            str(spec.dimensions),
            str(spec.max_tokens),
            code(spec.text_query_prefix or ""),
            code(spec.text_chunk_prefix or ""),
        )
        for _, spec in sorted(read_table().items())
    ]
    return table(("Name", "Loader", "Dimensions", "Tokens", "Query prefix", "Chunk prefix"), rows)


def errors_table() -> str:
    """Every status and code, and when it comes: the first sentences of the exceptions that have it."""
    reasons: dict[tuple[int, str], list[str]] = {}
    for error in _family(SidecarError):
        if error is not InvalidRequest:  # a heading over others
            wire_code = "" if "as_body" in vars(error) and error is not SidecarError else error.code
            reasons.setdefault((error.status, wire_code), []).append(_first_sentence(error))
    rows = [(str(status), code(wire_code), " ".join(told)) for (status, wire_code), told in sorted(reasons.items())]
    return table(("Status", "`code`", "When"), rows)


def _family(error: type[SidecarError]) -> Iterator[type[SidecarError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)


def routes_table() -> str:
    """Every route, and what it does."""
    app = Flask("routes", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for blueprint in _blueprints():
        app.register_blueprint(blueprint)
    rows = [
        (code(f"{method} {rule.rule.translate(_BRACES)}"), _first_sentence(app.view_functions[rule.endpoint]))
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted((rule.methods or set()) & _METHODS)
    ]
    return table(("Route", "What it does"), rows)


def _blueprints() -> Iterator[Blueprint]:
    for module in pkgutil.iter_modules(sidecar.api.__path__):
        for value in vars(importlib.import_module(f"sidecar.api.{module.name}")).values():
            if isinstance(value, Blueprint) and value.import_name == f"sidecar.api.{module.name}":
                yield value


def metrics_table() -> str:
    """Every metric of the sidecar's own."""
    # A counter is collected without the suffix that it is served with.
    rows = [
        (code(family.name + ("_total" if family.type == "counter" else "")), family.type, family.documentation)
        for family in Metrics().registry.collect()
    ]
    return table(("Metric", "Type", "Meaning"), rows)


def exit_statuses_table() -> str:
    """Every exit status of the commands."""
    return table(("Status", "Meaning"), [(str(int(status)), meaning) for status, meaning in MEANINGS.items()])


def checks_table() -> str:
    """Every check of ``sidecar doctor``."""
    return table(("Check", "Question"), [(code(name), check.question) for name, check in CHECKS.items()])


TABLES: dict[str, Callable[[], str]] = {
    "checks": checks_table,
    "configuration": settings_table,
    "errors": errors_table,
    "exit-statuses": exit_statuses_table,
    "metrics": metrics_table,
    "routes": routes_table,
}


def rewritten(text: str) -> str:
    """The document's text with all its tables made anew. Raises: KeyError for a table of an unknown name."""
    return _SECTION.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """The text as code; nothing where there is none."""
    return f"`{text}`" if text else ""


def _first_sentence(described: object) -> str:
    paragraph = " ".join((described.__doc__ or "").split("\n\n")[0].split())
    return paragraph.replace("``", "`")


def main(arguments: list[str]) -> int:
    """Bring the documents up to date, or with ``--check`` only look. Returns the exit status."""
    status = 0
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        wanted = rewritten(text)
        if arguments != ["--check"]:
            (ROOT / name).write_text(wanted, "utf-8")
        elif text != wanted:
            print(f"{name} is out of date: run python tools/readme_tables.py", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
