"""The vectors in a document's source: where they lie, and when they can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.opensearch.embedded_paths import ROOT, embedded_key
from sidecar.opensearch.index_state import IndexState

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


def chunks_of(source: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The chunks of one field; none where it is not embedded."""
    return _listed(source.get(ROOT, {}).get(embedded_key(field), []))


def as_stored(numbers: Sequence[Sequence[float]]) -> NDArray[np.float32] | NDArray[np.int8]:
    """Vectors out of JSON, shape (n, dimensions); int8 in an index of bytes. At least one."""
    # Floats are always written with a point or an exponent.
    if all(isinstance(number, int) for number in numbers[0]):
        return np.array(numbers, dtype=np.int8)
    return np.array(numbers, dtype=np.float32)


def _listed(chunks: Any) -> list[Mapping[str, Any]]:
    return chunks if isinstance(chunks, list) else [chunks]
