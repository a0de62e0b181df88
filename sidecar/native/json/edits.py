"""Changes to a text by its byte ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """``text`` in place of the bytes from ``start`` to ``end``; an insertion where these are equal."""

    start: int
    end: int
    text: bytes


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with the edits, whose places are those of the text as it is; they may come in any order.

    Insertions at one place stand in the order of their texts' places among the edits. Edits must not overlap.
    """
    pieces = []
    place = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < place:
            raise ValueError(f"two edits overlap at byte {edit.start}")
        pieces += [data[place : edit.start], edit.text]
        place = edit.end
    pieces.append(data[place:])
    return b"".join(pieces)


def cut(data: bytes, edits: Iterable[Edit], start: int, end: int) -> bytes:
    """The text from ``start`` to ``end``, with those of the edits that lie inside."""
    inside = (edit for edit in edits if start <= edit.start and edit.end <= end)
    return apply(data[start:end], [Edit(edit.start - start, edit.end - start, edit.text) for edit in inside])


def vector_text(vector: NDArray[np.float32]) -> bytes:
    """A vector as JSON: each number by the fewest digits that give the same float32, always with a point or exponent.

    So written, a vector read back from an index is the same text, and an update without change is none.
    """
    return orjson.dumps(np.ascontiguousarray(vector, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY)
