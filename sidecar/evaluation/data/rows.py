"""The rows of JSONL, CSV and TSV files, each with the place where it stands."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sidecar.errors import InvalidArgument, reason_of

PACKED = ".gz"
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class Row:
    """``where`` is its file and line, for messages; ``values`` are by the names of its columns or keys."""

    where: str
    values: Mapping[str, Any]

    def column(self, *names: str) -> str:
        """The first of these columns that the row has. Raises: InvalidArgument where it has none."""
        found = next((name for name in names if name in self.values), None)
        if found is None:
            there = ", ".join(map(str, self.values)) or "none"
            raise InvalidArgument(f"{self.where}: there is no column {' or '.join(names)}; there are: {there}.")
        return found

    def text(self, *names: str) -> str:
        """The text in the first of these columns; a number as JSON has it. Raises: InvalidArgument for anything else,
        and for one that is blank."""
        name = self.column(*names)
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise InvalidArgument(f"{self.where}: {name} must be a text.")
        text = str(value)
        if not text.strip():
            raise InvalidArgument(f"{self.where}: {name} is empty.")
        return text

    def grade(self, *names: str) -> int:
        """The whole number in the first of these columns; 1 where the row has none of them."""
        name = next((name for name in names if name in self.values), None)
        if name is None:
            return 1
        try:
            number = float(self.values[name])
            if number.is_integer():
                return int(number)
        except (TypeError, ValueError):
            pass
        raise InvalidArgument(f"{self.where}: {name} must be a whole number, not {self.values[name]!r}.")


def existing(path: Path) -> Path:
    """The file, or the one of that name that is packed. Raises: InvalidArgument where there is neither."""
    packed = path.with_name(path.name + PACKED)
    found = next((one for one in (path, packed) if one.is_file()), None)
    if found is None:
        raise InvalidArgument(f"There is no file {path}.")
    return found


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file in the format that its name tells; with ``.gz`` behind it, it is unpacked.

    Raises: InvalidArgument, naming file and line, where it can't be read, has an unknown name or a row that is broken.
    """
    suffix = Path(path.name.removesuffix(PACKED)).suffix.lower()
    if suffix in _JSON_LINES:
        yield from _json_rows(path)
    elif suffix in _DELIMITERS:
        yield from _table_rows(path, _DELIMITERS[suffix])
    else:
        known = ", ".join((*_JSON_LINES, *_DELIMITERS))
        raise InvalidArgument(
            f"The format of {path} can't be told by its name; known are {known}, and {PACKED} behind."
        )


def _json_rows(path: Path) -> Iterator[Row]:
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                values = json.loads(line)
            except ValueError as error:
                raise InvalidArgument(f"{where} is not JSON: {error}.") from error
            if not isinstance(values, dict):
                raise InvalidArgument(f"{where} must be an object.")
            yield Row(where, values)


def _table_rows(path: Path, delimiter: str) -> Iterator[Row]:
    with _opened(path) as file:
        # A tab parts fields whatever quotes are in them, as in TREC's and BEIR's judgements.
        if delimiter == "\t":
            rows = csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
        else:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = next(rows, [])
            for cells in rows:
                where = f"{path}, line {rows.line_num}"
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise InvalidArgument(f"{where} has {len(cells)} columns; the first line names {len(names)}.")
                yield Row(where, dict(zip(map(str.strip, names), cells, strict=True)))
        except csv.Error as error:
            raise InvalidArgument(f"{path}, line {rows.line_num}: {error}.") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        opener = gzip.open if path.name.endswith(PACKED) else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{path} can't be read: {reason_of(error)}.") from error
