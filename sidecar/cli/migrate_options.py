"""The options of ``sidecar migrate NAME``, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from sidecar.embedding.model_spec import PRECISIONS
from sidecar.errors import InvalidArgument
from sidecar.ingest.migration.changed_settings import Changes
from sidecar.ingest.migration.neighbours import LEAST_RECALL

_SETTINGS = {
    "model": ("index_defaults", "model"),
    "space_type": ("index_defaults", "ann_parameters", "space_type"),
    "ef_construction": ("index_defaults", "ann_parameters", "parameters", "ef_construction"),
    "m": ("index_defaults", "ann_parameters", "parameters", "m"),
    "split_length": ("index_defaults", "text_preprocessing", "split_length"),
    "split_overlap": ("index_defaults", "text_preprocessing", "split_overlap"),
    "split_method": ("index_defaults", "text_preprocessing", "split_method"),
    "shards": ("number_of_shards",),
    "replicas": ("number_of_replicas",),
}
"""The place of an option's value among the settings of an index."""


@dataclass(frozen=True)
class Asked:
    """The options of `sidecar migrate NAME`, by their names there."""

    name: str
    model: str | None
    model_properties: str | None
    precision: str | None
    settings: Path | None
    shards: int | None
    replicas: int | None
    ef_construction: int | None
    m: int | None
    space_type: str | None
    split_length: int | None
    split_overlap: int | None
    split_method: str | None
    add_tensor_field: tuple[str, ...]
    weights: str | None
    keep_unembeddable: bool
    rate: float | None
    sample_queries: Path | None
    query: tuple[str, ...]
    min_overlap: float | None
    min_recall: float
    yes: bool
    no_switch: bool
    resume: bool
    json: bool

    def changes(self) -> Changes:
        """What is to be otherwise. Raises: InvalidArgument for a file or JSON text that can't be read."""
        settings = {} if self.settings is None else read_object("--settings", str(self.settings))
        for option, path in _SETTINGS.items():
            value = getattr(self, option)
            if value is not None:
                _put(settings, path, value)
        if self.model_properties is not None:
            value = read_object("--model-properties", self.model_properties)
            _put(settings, ("index_defaults", "model_properties"), value)
        weights = {} if self.weights is None else read_object("--weights", self.weights)
        return Changes(settings, self.precision, self.add_tensor_field, _weights(weights), self.keep_unembeddable)

    def queries(self) -> list[str]:
        """The queries to compare. Raises: InvalidArgument for a file that can't be read."""
        lines: list[str] = []
        if self.sample_queries is not None:
            try:
                lines = self.sample_queries.read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidArgument(f"--sample-queries {self.sample_queries}: {error}") from error
        return [line.strip() for line in (*self.query, *lines) if line.strip()]


def read_object(option: str, given: str) -> dict[str, Any]:
    """The JSON object that an option names: its own text, or that of a file. Raises: InvalidArgument."""
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8")
        value = orjson.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{option} is neither a JSON object nor a file with one: {error}") from error
    if not isinstance(value, dict):
        raise InvalidArgument(f"{option} must be a JSON object.")
    return value


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        inner = settings.setdefault(key, {})
        if not isinstance(inner, dict):
            raise InvalidArgument(f"--settings: {key} must be an object.")
        settings = inner
    settings[path[-1]] = value


def _weights(given: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    for field, weights in given.items():
        numbers = weights.values() if isinstance(weights, dict) else [None]
        if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
            raise InvalidArgument(f"--weights: field {field!r} must have an object with a number for each sub-field.")
    return {field: {sub: float(number) for sub, number in weights.items()} for field, weights in given.items()}


def _number(least: int) -> click.IntRange:
    return click.IntRange(min=least)


PARAMETERS: list[click.Parameter] = [
    click.Argument(["name"]),
    click.Option(["--model"], help="The new model; it embeds queries too."),
    click.Option(["--model-properties"], metavar="JSON|FILE", help="What the model is, where it is not in the table."),
    click.Option(["--precision"], type=click.Choice(PRECISIONS), help="The precision that the model runs in."),
    click.Option(
        ["--settings"],
        type=click.Path(path_type=Path),
        help="JSON file of index settings, as POST /indexes/{index} takes them; what it leaves out stays as it is.",
    ),
    click.Option(["--shards"], type=_number(1), help="Number of shards."),
    click.Option(["--replicas"], type=_number(0), help="Number of replicas."),
    click.Option(["--ef-construction"], type=_number(1), help="HNSW: candidates when a vector is linked."),
    click.Option(["--m"], type=_number(2), help="HNSW: links of a vector."),
    click.Option(["--space-type"], help="How near two vectors are: cosinesimil, l2, innerproduct."),
    click.Option(["--split-length"], type=_number(1), help="Units of text in a chunk."),
    click.Option(["--split-overlap"], type=_number(0), help="Units that a chunk shares with the one before."),
    click.Option(["--split-method"], help="The unit: sentence, word, character, passage."),
    click.Option(
        ["--add-tensor-field"],
        multiple=True,
        metavar="FIELD",
        help="A field that is embedded from now on, in the documents that are there too. May be repeated.",
    ),
    click.Option(
        ["--weights"],
        metavar="JSON|FILE",
        help="Weights of the sub-fields of each multimodal_combination field, which the index does not keep.",
    ),
    click.Option(
        ["--keep-unembeddable"],
        is_flag=True,
        help="Copy documents whose content can't be embedded, as of an image that is gone, without those vectors.",
    ),
    click.Option(["--rate"], type=click.FloatRange(min=0, min_open=True), help="Documents a second, at most."),
    click.Option(
        ["--sample-queries"], type=click.Path(path_type=Path), help="File of queries to compare before and after."
    ),
    click.Option(["--query"], multiple=True, metavar="TEXT", help="A query to compare. May be repeated."),
    click.Option(
        ["--min-overlap"],
        type=click.FloatRange(0, 1),
        help="Switch only where the first ten hits of the queries have so much in common, on average.",
    ),
    click.Option(
        ["--min-recall"],
        type=click.FloatRange(0, 1),
        default=LEAST_RECALL,
        show_default=True,
        help="Switch only where searches find so much of the ten nearest neighbours.",
    ),
    click.Option(["--yes"], is_flag=True, help="Switch without asking."),
    click.Option(["--no-switch"], is_flag=True, help="Stop before the switch; the same command goes on."),
    click.Option(["--resume"], is_flag=True, help="Go on with the migration that is under way, whatever it changes."),
    click.Option(["--json"], is_flag=True, help="Tell the result as JSON."),
]
