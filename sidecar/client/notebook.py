"""Hits as HTML, for notebooks.

Everything is escaped, and nothing is fetched: the address of a picture is a link to click, never an image that would
tell its host of every look at the page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

_SHOWN_CHARACTERS = 200
_WEB = ("http://", "https://")


class ShownHit(Protocol):
    """What is shown of a hit."""

    @property
    def id(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...
    @property
    def highlights(self) -> Mapping[str, Any]: ...


def hits_table(hits: Sequence[ShownHit]) -> str:
    """A table with a row for each hit and a column for each field."""
    names = list(dict.fromkeys(name for hit in hits for name in hit.fields))
    head = _row("th", ("_id", "_score", *map(_text, names), "_highlights"))
    rows = (_row("td", _cells(hit, names)) for hit in hits)
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def shortened(value: Any) -> Any:
    """A long text cut, other values as they are."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]}…"
    return value


def _cells(hit: ShownHit, names: Iterable[str]) -> Iterable[str]:
    yield _text(hit.id)
    yield "" if hit.score is None else f"{hit.score:.4f}"
    for name in names:
        yield _value(hit.fields[name]) if name in hit.fields else ""
    yield "<br>".join(f"{_text(name)}: {_text(value)}" for name, value in hit.highlights.items())


def _row(kind: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{cell}</{kind}>' for cell in cells)}</tr>"


def _value(value: Any) -> str:
    if isinstance(value, str) and value.startswith(_WEB) and not any(map(str.isspace, value)):
        return f'<a href="{html.escape(value)}" rel="noopener noreferrer" target="_blank">{_text(value)}</a>'
    return _text(value)


def _text(value: Any) -> str:
    return html.escape(str(shortened(value if isinstance(value, str) else repr(value))))
