"""The load that the options of `sidecar ingest` ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import orjson
import yaml

from sidecar.cli.ingest import RAY
from sidecar.cli.names import names_of
from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.target_index import IndexWish
from sidecar.ingest.shaping.job_file import JobFile, merged, read_job_file
from sidecar.ingest.sources.options import Format
from sidecar.yaml_lines import why_no_yaml


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
        raise InvalidArgument(f"The settings file {path} can't be read: {why_no_yaml(error)}.") from error
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
