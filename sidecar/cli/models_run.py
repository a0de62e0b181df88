"""The work of `sidecar models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click
import orjson
from rich.table import Table

from sidecar.cli.command_settings import command_settings
from sidecar.cli.consoles import progress_console, table_console
from sidecar.cli.ending import CommandFailed
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.printable import echo
from sidecar.config import Settings
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.inventory import ModelFiles, files_on_disk, hub_repository, parameters_millions
from sidecar.embedding.load import Access, LoadContext, ModelLoading
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable

GIGABYTE = 1e9
MEGABYTE = 1e6


def list_models(given: Mapping[str, Any]) -> int:
    """List the models of the table; a `Work`."""
    folder = command_settings("warning", home=given["home"]).models_folder
    table, loader = ModelTable(), given["loader"]
    specs = [spec for spec in map(table.resolve, table.names()) if loader in (None, spec.loader)]
    found = [(spec, files_on_disk(spec, folder)) for spec in specs]
    if given["cached"]:
        found = [(spec, files) for spec, files in found if files.weights or files.converted]
    if given[JSON]:
        echo_json([_as_json(spec, files) for spec, files in found])
        return ExitStatus.DONE
    rows = [(spec.name, spec.loader, str(spec.dimensions), _parameters(spec), _cached(files)) for spec, files in found]
    _echo_columns([("NAME", "LOADER", "DIMENSIONS", "PARAMETERS", "ON THIS MACHINE"), *rows])
    return ExitStatus.DONE


def show(given: Mapping[str, Any]) -> int:
    """Tell all of one model; a `Work`."""
    settings, spec = command_settings("warning", home=given["home"]), _spec(given)
    files = files_on_disk(spec, settings.models_folder)
    if given[JSON]:
        echo_json(_as_json(spec, files))
        return ExitStatus.DONE
    for label, value in (
        ("name", spec.name),
        ("loader", spec.loader),
        ("weights from", hub_repository(spec) or "nowhere: it has none"),
        ("dimensions", spec.dimensions),
        ("tokens", spec.max_tokens),
        ("precision", spec.precision),
        ("parameters", _parameters(spec)),
        ("query prefix", repr(spec.text_query_prefix or "")),
        ("chunk prefix", repr(spec.text_chunk_prefix or "")),
        ("weights", f"{files.weights} ({_bytes(files.weights_bytes)})" if files.weights else "not on this machine"),
        ("converted", ", ".join(map(str, files.converted)) or "not yet"),
        ("fingerprint", spec.fingerprint),
    ):
        echo(f"{label + ':':<14}{value}")
    return ExitStatus.DONE


def pull(given: Mapping[str, Any]) -> int:
    """Fetch a model's weights; a `Work`."""
    from sidecar.embedding.pulling import pull_weights

    settings, spec = command_settings("warning", home=given["home"]), _spec(given)
    folder = pull_weights(spec, _context(settings))
    if given[JSON]:
        echo_json({"name": given["name"], "weights": folder})
    else:
        echo(f"The weights of {given['name']} are in {folder}.")
    return ExitStatus.DONE


def convert(given: Mapping[str, Any]) -> int:
    """Fetch a model and convert it; a `Work`."""
    settings, spec = command_settings("warning", home=given["home"]), _spec(given)
    spec = replace(spec, precision=given["precision"] or spec.precision)
    context = _context(settings)
    with progress_console().status(f"{spec.name} is fetched and converted; this takes seconds to minutes"):
        loader = ModelLoading(context.conversions, context.backend, context.access).load(spec)
    files = files_on_disk(spec, settings.models_folder)
    if given[JSON]:
        runs = {"backend": loader.backend, "memory_bytes": loader.memory_bytes}
        echo_json(_as_json(spec, files) | runs | {"dimensions": loader.dimensions})
        return ExitStatus.DONE
    memory = _bytes(loader.memory_bytes)
    echo(f"{spec.name} runs by {loader.backend}: {loader.dimensions} dimensions, {memory} of memory.")
    if files.converted:
        echo(f"Its converted forms are in {files.converted[0].parent} ({_bytes(files.converted_bytes)}).")
    return ExitStatus.DONE


def bench(given: Mapping[str, Any]) -> int:
    """Measure a model; a `Work`."""
    from sidecar.embedding.model_bench import Speed, measure_speeds

    settings, spec = command_settings("warning", home=given["home"]), _spec(given)
    speeds: list[Speed] = []
    with progress_console().status("measuring") as status:
        for speed in measure_speeds(spec, ConversionCache(settings.models_folder), seconds=given["seconds"]):
            speeds.append(speed)
            status.update(f"measuring; done: {speed.backend} {speed.precision}")
    measured = [speed for speed in speeds if not speed.failure]
    if given[JSON]:
        echo_json(speeds)
    elif measured:
        table_console().print(_bench_table(spec.name, measured))
    for speed in speeds:
        if speed.failure:
            echo(f"not measured: {speed.backend} {speed.precision}: {speed.failure}", err=True)
    if not measured:
        raise CommandFailed("no backend could run the model; the reasons are above", ExitStatus.FAILED)
    return ExitStatus.DONE


def _bench_table(name: str, measured: Sequence[Any]) -> Table:
    shown = Table(title=f"{name} on this machine", title_justify="left")
    for column in ("backend", "precision", "texts/s", "ms a text", "images/s", "ms an image", "memory"):
        shown.add_column(column, justify="left" if column in ("backend", "precision") else "right", no_wrap=True)
    for speed in measured:
        numbers = (speed.texts_a_second, speed.text_ms, speed.images_a_second, speed.image_ms)
        shown.add_row(speed.backend, speed.precision, *map(_number, numbers), _bytes(speed.memory_bytes))
    return shown


def _echo_columns(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _spec(given: Mapping[str, Any]) -> ModelSpec:
    return ModelTable().resolve(given["name"], _parse(given["properties"]))


def _parse(properties: str | None) -> dict[str, Any] | None:
    if properties is None:
        return None
    try:
        value = orjson.loads(properties)
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"it is not JSON: {error}", param_hint="--properties") from error
    if not isinstance(value, dict):
        raise click.BadParameter("it must be a JSON object", param_hint="--properties")
    return value


def _context(settings: Settings) -> LoadContext:
    access = Access(settings.home / "downloads", settings.media_allow_private, settings.endpoints)
    return LoadContext(ConversionCache(settings.models_folder), settings.backend, access)


def _as_json(spec: ModelSpec, files: ModelFiles) -> dict[str, Any]:
    return {
        "name": spec.name,
        "loader": spec.loader,
        "weights_from": hub_repository(spec) or None,
        "dimensions": spec.dimensions,
        "max_tokens": spec.max_tokens,
        "precision": spec.precision,
        "parameters_millions": parameters_millions(spec),
        "text_query_prefix": spec.text_query_prefix or "",
        "text_chunk_prefix": spec.text_chunk_prefix or "",
        "weights": files.weights,
        "weights_bytes": files.weights_bytes,
        "converted": files.converted,
        "converted_bytes": files.converted_bytes,
        "fingerprint": spec.fingerprint,
    }


def _parameters(spec: ModelSpec) -> str:
    millions = parameters_millions(spec)
    return f"{millions:g} M" if millions else ""


def _cached(files: ModelFiles) -> str:
    parts: list[str] = []
    if files.weights:
        parts.append(f"weights {_bytes(files.weights_bytes)}")
    if files.converted:
        parts.append(f"converted {_bytes(files.converted_bytes)}")
    return ", ".join(parts)


def _bytes(count: int) -> str:
    return f"{count / GIGABYTE:.2f} GB" if count >= GIGABYTE else f"{count / MEGABYTE:.0f} MB"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
