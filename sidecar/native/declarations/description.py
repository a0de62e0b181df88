"""The last line of a pipeline's description, which keeps the processors that the sidecar took out of the pipeline.

OpenSearch refuses processors that it doesn't know, and pipelines have no room for anything of others but this text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.native.json.spans import NotJson, read
from sidecar.native.json.writing import Value, as_value, write

MARK = "#sidecar "


@dataclass(frozen=True, slots=True)
class KeptProcessor:
    """A processor that was taken out: ``value`` is the object as the pipeline had it, ``at`` its place in its list."""

    at: int
    value: Mapping[str, Value]


Kept = Mapping[str, Sequence[KeptProcessor]]
"""Processors by the list that they were in: ``processors``, ``request_processors``, …; in the order of their places."""


def line_of(kept: Kept) -> str:
    """The line that keeps these processors; a NotJson is raised where they aren't text of one line."""
    lists: dict[str, Value] = {
        name: [{"at": str(one.at).encode(), **one.value} for one in processors] for name, processors in kept.items()
    }
    text = write(lists)
    if any(byte < 0x20 for byte in text):
        raise NotJson("a control character in a string")
    try:
        return MARK + text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(str(error)) from error


def with_line(description: str | None, line: str) -> str:
    """A description with the line at its end; the line alone, where there is none."""
    return line if description is None else f"{description}\n{line}"


def split_description(text: str) -> tuple[str | None, Kept] | None:
    """A description without its line, and what the line keeps; None where it has none, or one of another's making."""
    before, mark, line = text.rpartition(f"\n{MARK}")
    if not mark:
        if not text.startswith(MARK):
            return None
        line = text[len(MARK) :]
    try:
        kept = _kept(line.encode("utf-8"))
    except (NotJson, UnicodeEncodeError):
        return None
    return (before if mark else None, kept) if kept else None


def _kept(line: bytes) -> Kept:
    lists = as_value(read(line), line)
    if not isinstance(lists, dict):
        raise NotJson("not an object")
    return {name: [_processor(item) for item in items] for name, items in lists.items() if isinstance(items, list)}


def _processor(item: Value) -> KeptProcessor:
    if not isinstance(item, dict) or not isinstance(item.get("at"), bytes) or len(item) != 2:
        raise NotJson("not a processor and its place")
    value = dict(item)
    at = value.pop("at")
    assert isinstance(at, bytes)
    if not at.isdigit() or len(at) > 9:
        raise NotJson("not a place")
    return KeptProcessor(int(at), value)
