"""The options of `sidecar ingest`, and the load that they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import orjson
import yaml

from sidecar.cli.names import names_of
from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.patience import PATIENCE_SECONDS
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.target_index import IndexWish
from sidecar.ingest.shaping.job_file import JobFile, merged, read_job_file
from sidecar.ingest.sources.options import Format

LOCAL, RAY = "local", "ray"
SHOWN_DOCUMENTS = 3


@dataclass(frozen=True)
class Asked:
    """The options, by their names on the command line."""

    source: str | None
    index: str | None
    format: str | None
    captions: str | None
    encoding: str | None
    storage: tuple[str, ...]
    id_field: str | None
    tensor_fields: str | None
    image_fields: str | None
    rename: tuple[str, ...]
    set: tuple[str, ...]
    types: tuple[str, ...]
    keep: str | None
    drop: str | None
    precomputed: tuple[str, ...]
    model: str | None
    settings: Path | None
    replace: bool
    only_new: bool
    batch: int | None
    streams: int | None
    job_file: Path | None
    job: str | None
    dead_letters: Path | None
    patience: float
    dry_run: bool
    documents: int
    engine: str
    workers: int | None
    json: bool

    def load(self) -> JobFile:
        """What is to be loaded: what the command line says, over the job file.

        Raises: UsageError where options contradict each other; InvalidArgument for a file that can't be read.
        """
        if self.replace and self.only_new:
            raise click.UsageError("Give --replace or --only-new, not both.")
        if self.model is not None and self.settings is not None:
            raise click.UsageError("Give --model or --settings, not both: the settings have a model too.")
        if self.workers is not None and self.engine != RAY:
            raise click.UsageError("--workers goes with --engine ray.")
        of_file = JobFile() if self.job_file is None else read_job_file(self.job_file)
        # What the index is to be has one place; that on the command line counts.
        if self.model is not None:
            of_file = replace(of_file, settings=None)
        if self.settings is not None:
            of_file = replace(of_file, model=None)
        return merged(of_file, self._command_line())

    def _command_line(self) -> JobFile:
        return JobFile(
            location=self.source,
            format=None if self.format is None else Format(self.format),
            captions=self.captions,
            encoding=self.encoding,
            storage=_pairs("--storage", self.storage),
            index=self.index,
            model=self.model,
            settings=None if self.settings is None else read_settings(self.settings),
            id_field=self.id_field,
            tensor_fields=names_of(self.tensor_fields),
            image_fields=names_of(self.image_fields),
            rename=_pairs("--rename", self.rename),
            set=_values(_pairs("--set", self.set)),
            types=_pairs("--types", self.types),
            keep=names_of(self.keep),
            drop=names_of(self.drop),
            precomputed=_precomputed(self.precomputed),
            existing=Existing.REPLACE if self.replace else Existing.ONLY_NEW if self.only_new else None,
            batch_documents=self.batch,
            streams=self.streams,
        )


def plan_of(load: JobFile) -> LoadPlan:
    """The plan. Raises: InvalidArgument where the source or the index is missing, or the shape contradicts itself."""
    if load.index is None:
        raise InvalidArgument("No index is given: name it with --index, or as 'index' in the job file.")
    given = {
        name: value for name in ("existing", "batch_documents", "streams") if (value := getattr(load, name)) is not None
    }
    return LoadPlan(load.source(), load.index, load.shape(), **given)


def wish_of(load: JobFile) -> IndexWish:
    """What is said of the index. Raises: InvalidArgument where two things are."""
    if load.model is not None and load.settings is not None:
        raise InvalidArgument("The job file has 'model' and 'settings': give one, for the settings have a model too.")
    return IndexWish(load.model, load.settings)


def read_settings(path: Path) -> Mapping[str, Any]:
    """An index's settings from a file of JSON or YAML. Raises: InvalidArgument, naming the file."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidArgument(f"The settings file {path} can't be read: {error}.") from error
    if not isinstance(settings, dict):
        raise InvalidArgument(f"The settings file {path} must have an object, as POST /indexes/{{index}} takes it.")
    return settings


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str] | None:
    """``name=value`` each; None where there are none."""
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise click.BadParameter(f"{text!r} must have the form name=value.", param_hint=option)
        pairs[name] = value
    return pairs or None


def _values(pairs: Mapping[str, str] | None) -> dict[str, Any] | None:
    """What is JSON is taken as such: a number, true, a list; all else is text."""
    return None if pairs is None else {name: _value(text) for name, text in pairs.items()}


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _precomputed(texts: Sequence[str]) -> dict[str, str | None] | None:
    """``field`` or ``field=text_field`` each."""
    return {name: text_field or None for name, _, text_field in (text.partition("=") for text in texts)} or None


def options() -> list[click.Parameter]:
    """Those of the command, in the order of its help."""
    return [
        click.Argument(["source"], required=False),
        click.Option(["--index"], help="The index, or an alias of one."),
        click.Option(["--format"], type=click.Choice([each.value for each in Format]), help="Where no name tells it."),
        click.Option(["--captions"], help="CSV or JSONL beside a folder of images: a row for each image."),
        click.Option(["--encoding"], help="Of text files; utf-8 by default."),
        click.Option(["--storage"], multiple=True, metavar="OPTION=VALUE", help="Of fsspec's filesystem."),
        click.Option(["--id-field"], help="The field with the document's id."),
        click.Option(["--tensor-fields"], metavar="A,B", help="The fields that are embedded."),
        click.Option(["--image-fields"], metavar="A,B", help="Those that point to images, which are embedded."),
        click.Option(["--rename"], multiple=True, metavar="OLD=NEW", help="Give a field another name."),
        click.Option(["--set"], multiple=True, metavar="FIELD=VALUE", help="Give every document a value."),
        click.Option(["--types"], multiple=True, metavar="FIELD=TYPE", help="int, float, bool, json, list or str."),
        click.Option(["--keep"], metavar="A,B", help="Take these fields only."),
        click.Option(["--drop"], metavar="A,B", help="Leave these fields out."),
        click.Option(["--precomputed"], multiple=True, metavar="FIELD[=TEXT]", help="It has vectors, of TEXT's."),
        click.Option(["--model"], help="Of the index, where it is not there yet."),
        click.Option(["--settings"], type=_FILE, help="Its settings in JSON or YAML, as POST /indexes/{index} takes."),
        click.Option(["--replace"], is_flag=True, help="Load all anew; documents with the same ids are replaced."),
        click.Option(["--only-new"], is_flag=True, help="Load all anew; documents whose ids are there stay."),
        click.Option(["--batch"], type=click.IntRange(1, 10_000), help="Documents of a batch at most; 500 by default."),
        click.Option(["--streams"], type=click.IntRange(1, 64), help="Batches at once, at most; 4 by default."),
        click.Option(["--job-file"], type=_FILE, help="YAML that says all this; options here have precedence."),
        click.Option(["--job"], metavar="NAME", help="A name of one's own for the job that is resumed."),
        click.Option(["--dead-letters"], type=_FILE, help="Copy the documents that failed to this file, at the end."),
        click.Option(
            ["--patience"],
            type=click.FloatRange(min=0),
            default=PATIENCE_SECONDS,
            show_default=True,
            help="Seconds to wait for a cluster that is away or full.",
        ),
        click.Option(["--dry-run"], is_flag=True, help="Show the first documents, and what the load would take."),
        click.Option(
            ["--documents"], type=click.IntRange(1, 200), default=SHOWN_DOCUMENTS, show_default=True,
            help="How many a dry run shows.",
        ),
        click.Option(["--engine"], type=click.Choice([LOCAL, RAY]), default=LOCAL, show_default=True),
        click.Option(
            ["--workers"], type=click.IntRange(1), help="Of Ray; one for each GPU or every four processors by default."
        ),
        click.Option(["--json"], is_flag=True, help="Write the summary as JSON."),
    ]  # fmt: skip


_FILE = click.Path(path_type=Path, dir_okay=False)
