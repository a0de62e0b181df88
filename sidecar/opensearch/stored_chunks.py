"""The chunks that are stored of a document: where they lie, what was embedded, when their vectors can be believed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.opensearch.embedded_paths import ROOT, embedded_key
from sidecar.opensearch.index_state import IndexState

Chunk = Mapping[str, Any]
"""`vector`, `start` and `end`; `content` where that is no slice of the field's text; `hash` in a field's first."""

MAX_READABLE_CHUNKS = 149
"""Of a document with more, over all its fields, k-NN's derived source gives back the vectors of another document (seen
on 3.5.0 from 150 nested entries on; `DerivedSourceLuceneHelper.getFirstChild` looks 150 back)."""

CHUNK_COUNTS = f"{ROOT}.*.start"
"""The pattern of source fields that `count_chunks` needs."""


def readable_chunks(state: IndexState) -> int | None:
    """How many chunks a document of the index may have for its vectors to be believed; None for any number."""
    return None if state.stores_vectors else MAX_READABLE_CHUNKS


def count_chunks(source: Mapping[str, Any]) -> int:
    """The chunks of a document, over all its fields."""
    return sum(len(_listed(chunks)) for chunks in source.get(ROOT, {}).values())


def stored_chunks(source: Mapping[str, Any], field: str) -> list[Chunk]:
    """The chunks of one field, in order; none where it is not embedded."""
    return _listed(source.get(ROOT, {}).get(embedded_key(field), []))


def as_stored(numbers: Sequence[Sequence[float]]) -> NDArray[np.float32] | NDArray[np.int8]:
    """Vectors out of JSON, shape (n, dimensions); int8 in an index of bytes. At least one."""
    # Floats are always written with a point or an exponent.
    if all(isinstance(number, int) for number in numbers[0]):
        return np.array(numbers, dtype=np.int8)
    return np.array(numbers, dtype=np.float32)


def chunk_content(stored: object, span: tuple[int, int] | None, own: str | None) -> str | None:
    """What was embedded: a slice of the text, a box of the image, or the JSON text of a combination.

    `stored` is the field's value, `span` the chunk's start and end in it, `own` the chunk's own content. None where
    they don't tell.
    """
    if own:
        return own
    if isinstance(stored, dict):
        return json.dumps(stored)
    if not isinstance(stored, str) or span is None:
        return None
    return stored[span[0] : span[1]]


def _listed(chunks: Any) -> list[Chunk]:
    return chunks if isinstance(chunks, list) else [chunks]
