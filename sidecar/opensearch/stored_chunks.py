"""The chunks that are stored of a document, and what was embedded as each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sidecar.opensearch.embedded_paths import ROOT, embedded_key

Chunk = Mapping[str, Any]
"""`vector`, `start` and `end`; `content` where that is no slice of the field's text; `hash` in a field's first."""


def stored_chunks(source: Mapping[str, Any], field: str) -> list[Chunk]:
    """The chunks of one field, in order; none where it is not embedded."""
    chunks = source.get(ROOT, {}).get(embedded_key(field), [])
    return chunks if isinstance(chunks, list) else [chunks]


def count_chunks(source: Mapping[str, Any]) -> int:
    """How many chunks the document has, of all fields."""
    fields = source.get(ROOT, {}).values()
    return sum(len(chunks) if isinstance(chunks, list) else 1 for chunks in fields)


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
