"""The options of `sidecar evaluate`, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import orjson

from sidecar.cli.names import names_of
from sidecar.evaluation.choices import DEFAULT_ALPHA, METHODS, Grid
from sidecar.evaluation.chunkings import NONE
from sidecar.evaluation.data.opening import DataWish
from sidecar.evaluation.results import Method

Value = TypeVar("Value")

_GRID = {
    "model": "--model",
    "precision": "--precision",
    "max_tokens": "--max-tokens",
    "chunking": "--chunking",
    "method": "--method",
    "alpha": "--alpha",
    "ef_search": "--ef-search",
    "m": "--m",
    "ef_construction": "--ef-construction",
}
"""Options that a plan file takes the place of."""


@dataclass(frozen=True)
class Asked:
    """The options, by their names on the command line."""

    data: Path | None
    split: str
    corpus: Path | None
    index: str | None
    captions: Path | None
    caption_field: str | None
    fields: str | None
    model: tuple[str, ...]
    properties: tuple[str, ...]
    precision: str | None
    max_tokens: str | None
    chunking: str | None
    method: str | None
    alpha: str | None
    ef_search: str | None
    m: str | None
    ef_construction: str | None
    plan: Path | None
    output: Path
    fresh: bool
    keep_indexes: bool
    compare: tuple[Path, Path] | None
    json: bool

    def check(self) -> None:
        """Raises: UsageError where options contradict each other, or nothing is asked for."""
        if self.compare is not None:
            if self.data is not None:
                raise click.UsageError("--compare takes two evaluations that are finished: leave out the data.")
            return
        if self.data is None:
            raise click.UsageError("Name the data: a folder or a table. (Or two evaluations with --compare.)")
        given = [option for name, option in _GRID.items() if getattr(self, name)]
        if self.plan is not None and given:
            raise click.UsageError(f"--plan lists the choices: leave out {', '.join(given)}.")

    def wish(self) -> DataWish:
        """Where the data are."""
        assert self.data is not None
        return DataWish(
            location=self.data,
            split=self.split,
            corpus=self.corpus,
            index=self.index,
            captions=self.captions,
            caption_field=self.caption_field,
            fields=names_of(self.fields),
        )

    def grid(self) -> Grid:
        """The values whose combinations are the choices."""
        return Grid(
            models=self.model,
            precisions=names_of(self.precision) or (None,),
            max_tokens=_numbers("--max-tokens", self.max_tokens, int) or (None,),
            chunkings=names_of(self.chunking) or (NONE,),
            methods=self._methods(),
            alphas=_numbers("--alpha", self.alpha, float) or (DEFAULT_ALPHA,),
            ef_searches=_numbers("--ef-search", self.ef_search, int) or (None,),
            ms=_numbers("--m", self.m, int) or (None,),
            ef_constructions=_numbers("--ef-construction", self.ef_construction, int) or (None,),
        )

    def described_models(self) -> dict[str, Mapping[str, Any]]:
        """``model_properties`` by the names of their models. Raises: BadParameter."""
        described: dict[str, Mapping[str, Any]] = {}
        for text in self.properties:
            name, sign, properties = text.partition("=")
            if not sign:
                raise click.BadParameter(f"{text!r} must be NAME=JSON.", param_hint="--properties")
            try:
                described[name] = orjson.loads(properties)
            except orjson.JSONDecodeError as error:
                raise click.BadParameter(f"{text!r} must be NAME=JSON: {error}.", param_hint="--properties") from error
            if not isinstance(described[name], dict):
                raise click.BadParameter(f"{text!r} must be NAME=JSON, an object.", param_hint="--properties")
        return described

    def _methods(self) -> tuple[Method, ...]:
        methods = tuple(name.upper() for name in names_of(self.method) or ("tensor",))
        unknown = next((method for method in methods if method not in METHODS), None)
        if unknown is not None:
            known = ", ".join(METHODS).lower()
            raise click.BadParameter(f"{unknown.lower()!r} is none of {known}.", param_hint="--method")
        return cast(tuple[Method, ...], methods)


def _numbers(option: str, text: str | None, kind: Callable[[str], Value]) -> tuple[Value, ...]:
    try:
        return tuple(kind(each) for each in names_of(text) or ())
    except ValueError as error:
        raise click.BadParameter(f"{text!r} must be numbers, with commas between.", param_hint=option) from error


_FILE = click.Path(path_type=Path, dir_okay=False)


def options() -> list[click.Parameter]:
    """Those of the command, in the order of its help."""
    return [
        click.Argument(["data"], required=False, type=click.Path(path_type=Path)),
        click.Option(["--split"], default="test", show_default=True, help="Of a BEIR folder: qrels/SPLIT.tsv."),
        click.Option(["--corpus"], type=_FILE, help="The documents that a table judges: JSONL, CSV or TSV."),
        click.Option(["--index"], metavar="NAME", help="The documents that a table judges: those of this index."),
        click.Option(["--captions"], type=_FILE, help="Of a folder of pictures: CSV, TSV or JSONL."),
        click.Option(["--caption-field"], metavar="NAME", help="The captions' column."),
        click.Option(["--fields"], metavar="A,B", help="Of documents; title,text, or what the index embeds."),
        click.Option(["--model"], multiple=True, metavar="NAME", help="A model to try; may be given several times."),
        click.Option(["--properties"], multiple=True, metavar="NAME=JSON", help="model_properties of a model."),
        click.Option(["--precision"], metavar="A,B", help="float32, float16, int8; the model's own by default."),
        click.Option(["--max-tokens"], metavar="N,N", help="Where texts are cut; the model's own by default."),
        click.Option(["--chunking"], metavar="A,B", help="none (by default), or METHOD/LENGTH/OVERLAP."),
        click.Option(["--method"], metavar="A,B", help="tensor (by default), lexical, hybrid."),
        click.Option(["--alpha"], metavar="X,Y", help="The share of meaning in hybrid searches; 0.5 by default."),
        click.Option(["--ef-search"], metavar="N,N", help="Candidates that HNSW looks at."),
        click.Option(["--m"], metavar="N,N", help="Of HNSW's graph; 16 by default."),
        click.Option(["--ef-construction"], metavar="N,N", help="Of HNSW's graph; 128 by default."),
        click.Option(["--plan"], type=_FILE, help="YAML that lists the choices one by one."),
        click.Option(
            ["--output"], type=click.Path(path_type=Path, file_okay=False), default=Path("evaluation"),
            show_default=True, help="Folder of the results, and of what is finished until then.",
        ),
        click.Option(["--fresh"], is_flag=True, help="Embed and measure everything anew."),
        click.Option(["--keep-indexes"], is_flag=True, help="Leave the indexes in the cluster, to look at or to use."),
        click.Option(
            ["--compare"], type=click.Path(path_type=Path, exists=True), nargs=2, metavar="A.json B.json",
            help="Compare two evaluations that are finished.",
        ),
        click.Option(["--json"], is_flag=True, help="Write the evaluation as JSON to standard output."),
    ]  # fmt: skip
