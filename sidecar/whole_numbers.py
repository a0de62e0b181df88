"""Whole numbers as others write them: in headers, parameters and files."""

from __future__ import annotations


def whole_number(text: str, *, most_digits: int) -> int | None:
    """The number that a text is; None for what is not ASCII digits alone, or more of them than that, which may take
    long to read, and is no number that is meant."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= most_digits else None
