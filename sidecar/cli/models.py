"""``sidecar models``: what models there are, and their files on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from sidecar.config import Settings, load_settings
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.inventory import ModelFiles, files_on_disk, hub_repository, parameters_millions
from sidecar.embedding.load import Access, LoadContext, ModelLoading
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import PRECISIONS, ModelSpec, Precision
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import SidecarError

GIGABYTE = 1e9
MEGABYTE = 1e6

Result = TypeVar("Result")

HOME = click.option("--home", type=click.Path(path_type=Path), help="Folder of converted models.")
PROPERTIES = click.option(
    "--properties", metavar="JSON", help="model_properties, for a model that is not in the table."
)
PRECISION = click.option("--precision", type=click.Choice(PRECISIONS), help="float32 by default.")


@click.group()
def models() -> None:
    """List, fetch, convert and measure models."""


@models.command("list")
@click.option("--cached", is_flag=True, help="Only those with files on this machine.")
@click.option("--loader", help="Only those of this loader, as sbert or open_clip.")
@HOME
def list_models(cached: bool, loader: str | None, home: Path | None) -> None:
    """Every model known by name: loader, dimensions, size, and what of it is on this machine."""
    settings = _settings(home)
    table = ModelTable()
    rows = []
    for name in table.names():
        spec = table.resolve(name)
        files = files_on_disk(spec, settings.models_folder)
        if (loader in (None, spec.loader)) and (not cached or files.weights or files.converted):
            rows.append((name, spec.loader, str(spec.dimensions), _parameters(spec), _cached(files)))
    head = ("NAME", "LOADER", "DIMENSIONS", "PARAMETERS", "ON THIS MACHINE")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@models.command()
@click.argument("name")
@PROPERTIES
@HOME
def show(name: str, properties: str | None, home: Path | None) -> None:
    """All that is known of one model."""
    settings = _settings(home)
    spec = _resolve(name, properties)
    files = files_on_disk(spec, settings.models_folder)
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
        click.echo(f"{label + ':':<14}{value}")


@models.command()
@click.argument("name")
@PROPERTIES
@HOME
def pull(name: str, properties: str | None, home: Path | None) -> None:
    """Fetch a model's weights, so that its first use need not wait for them."""
    from sidecar.embedding.pulling import pull_weights

    settings = _settings(home)
    spec = _resolve(name, properties)
    folder = _plainly(lambda: pull_weights(spec, _context(settings)))
    click.echo(f"The weights of {name} are in {folder}.")


@models.command()
@click.argument("name")
@PROPERTIES
@PRECISION
@HOME
def convert(name: str, properties: str | None, precision: Precision | None, home: Path | None) -> None:
    """Fetch a model and convert it, so that a server starts with it at once."""
    from rich.console import Console

    settings = _settings(home)
    spec = _resolve(name, properties)
    spec = replace(spec, precision=precision) if precision else spec
    with Console(stderr=True).status(f"{name} is fetched and converted; this takes seconds to minutes"):
        loader = _plainly(lambda: _load(spec, _context(settings)))
    files = files_on_disk(spec, settings.models_folder)
    click.echo(
        f"{name} runs by {loader.backend}: {loader.dimensions} dimensions, {_bytes(loader.memory_bytes)} of memory."
    )
    if files.converted:
        click.echo(f"Its converted forms are in {files.converted[0].parent} ({_bytes(files.converted_bytes)}).")


@models.command()
@click.argument("name")
@PROPERTIES
@click.option("--seconds", default=3.0, show_default=True, help="How long to measure each rate.")
@HOME
def bench(name: str, properties: str | None, seconds: float, home: Path | None) -> None:
    """Measure a model on this machine: rate and latency, by backend and precision."""
    from rich.console import Console
    from rich.table import Table

    from sidecar.embedding.model_bench import measure_speeds

    settings = _settings(home)
    spec = _resolve(name, properties)
    shown = Table(title=f"{name} on this machine", title_justify="left")
    for column in ("backend", "precision", "texts/s", "ms a text", "images/s", "ms an image", "memory"):
        shown.add_column(column, justify="left" if column in ("backend", "precision") else "right")
    failures = []
    with Console(stderr=True).status("measuring"):
        for speed in measure_speeds(spec, ConversionCache(settings.models_folder), seconds=seconds):
            if speed.failure:
                failures.append(f"{speed.backend} {speed.precision}: {speed.failure}")
                continue
            numbers = (speed.texts_a_second, speed.text_ms, speed.images_a_second, speed.image_ms)
            shown.add_row(speed.backend, speed.precision, *map(_number, numbers), _bytes(speed.memory_bytes))
    Console(width=120).print(shown)
    for failure in failures:
        click.echo(f"not measured: {failure}", err=True)
    if not shown.row_count:
        raise click.ClickException("no backend could run the model; the reasons are above")


def _settings(home: Path | None) -> Settings:
    logging.getLogger("sidecar").setLevel(logging.WARNING)
    return _plainly(lambda: load_settings(home=home))


def _resolve(name: str, properties: str | None) -> ModelSpec:
    return _plainly(lambda: ModelTable().resolve(name, _parse(properties)))


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


def _plainly(work: Callable[[], Result]) -> Result:
    """What ``work`` returns; an error of ours becomes one line, and exit status 1."""
    try:
        return work()
    except SidecarError as error:
        raise click.ClickException(error.message) from error


def _context(settings: Settings) -> LoadContext:
    access = Access(settings.home / "downloads", settings.media_allow_private, settings.endpoints)
    return LoadContext(ConversionCache(settings.models_folder), settings.backend, access)


def _load(spec: ModelSpec, context: LoadContext) -> Loader:
    return ModelLoading(context.conversions, context.backend, context.access).load(spec)


def _parameters(spec: ModelSpec) -> str:
    millions = parameters_millions(spec)
    return f"{millions:g} M" if millions else ""


def _cached(files: ModelFiles) -> str:
    parts = []
    if files.weights:
        parts.append(f"weights {_bytes(files.weights_bytes)}")
    if files.converted:
        parts.append(f"converted {_bytes(files.converted_bytes)}")
    return ", ".join(parts)


def _bytes(count: int) -> str:
    return f"{count / GIGABYTE:.2f} GB" if count >= GIGABYTE else f"{count / MEGABYTE:.0f} MB"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
