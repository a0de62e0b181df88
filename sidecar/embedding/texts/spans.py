"""Stretches of a text, as character offsets."""

from __future__ import annotations

Span = tuple[int, int]
"""The start (inclusive) and end (exclusive) of a stretch, in characters (code points) of the text."""


def trim(text: str, start: int, end: int) -> Span | None:
    """The stretch without the white space at its ends; None where it is all white space."""
    piece = text[start:end]
    kept = piece.lstrip()
    if not kept:
        return None
    start += len(piece) - len(kept)
    return start, start + len(kept.rstrip())
