"""One hit of a hybrid search: the bytes of a sub-query's hit, with the combined score."""

from __future__ import annotations

from typing import Final

import numpy as np

from sidecar.native.hybrid.answers import Hit
from sidecar.native.hybrid.ranking import RankedHit
from sidecar.native.json.cursor import Cursor
from sidecar.native.json.writing import quoted

_SCORE: Final = '"_score"'
_NAMES: Final = '"matched_queries"'
_JOINED: Final = ('"highlight"', _NAMES, '"inner_hits"')
"""Keys of a hit that differ between sub-queries: the hit has those of all."""
Parts = dict[str, str]
"""The texts of an object's values by those of its keys, which have their quotes."""


def hit_text(hit: RankedHit, name: str | None) -> str:
    """A hit's text, of the first sub-query that has it; ``name`` is the hybrid query's own ``_name``."""
    first, *others = hit.hits
    if name is None and not any(key in other.text[other.start : other.end] for other in others for key in _JOINED):
        return _with_score(first, score_text(hit.score))
    parts = _parts(first.text, first.start) | {_SCORE: score_text(hit.score)}
    for other in (_parts(one.text, one.start) for one in others):
        for key in _JOINED:
            if key in other:
                parts[key] = _joined(parts[key], other[key]) if key in parts else other[key]
    if name is not None:
        own = quoted(name).decode("latin-1")
        is_scored = parts.get(_NAMES, "").startswith("{")
        own = f"{{{own}:{parts[_SCORE]}}}" if is_scored else f"[{own}]"
        parts[_NAMES] = _joined(parts[_NAMES], own) if _NAMES in parts else own
    return _object(parts)


def score_text(score: np.float32) -> str:
    """A score as Java writes it: by the fewest digits, with an exponent below 0.001 and from 10,000,000 on."""
    if score == 0 or 1e-3 <= abs(score) < 1e7:
        return str(score)
    digits, _, exponent = np.format_float_scientific(score, unique=True, trim="0").partition("e")
    return f"{digits}E{int(exponent)}"


def _with_score(hit: Hit, score: str) -> str:
    cursor = Cursor(hit.text, hit.start)
    for key in cursor.members():
        start = cursor.place
        cursor.value()
        if key == "_score":
            return hit.text[hit.start : start] + score + hit.text[cursor.place : hit.end]
    return hit.text[hit.start : hit.end]


def _parts(text: str, start: int = 0) -> Parts:
    """The parts of the object that stands there."""
    parts: Parts = {}
    cursor = Cursor(text, start)
    for _ in cursor.members():
        key, value_start = cursor.key_text, cursor.place
        cursor.value()
        parts[key] = text[value_start : cursor.place]
    return parts


def _object(parts: Parts) -> str:
    return "{" + ",".join(f"{key}:{text}" for key, text in parts.items()) + "}"


def _joined(left: str, right: str) -> str:
    """Two objects or two lists as one: of what both have, the left's."""
    if left.startswith("["):
        # By their texts: the same name is written the same way.
        return f"[{','.join(dict.fromkeys([*_items(left), *_items(right)]))}]"
    return _object(_parts(left) | {key: text for key, text in _parts(right).items() if key not in _parts(left)})


def _items(text: str) -> list[str]:
    cursor = Cursor(text)
    found = []
    for _ in cursor.items():
        start = cursor.place
        cursor.value()
        found.append(text[start : cursor.place])
    return found
