"""Options that are names between commas."""

from __future__ import annotations


def names_of(text: str | None) -> tuple[str, ...] | None:
    """The names in an option, without what is blank; None where it was not given."""
    return None if text is None else tuple(name for name in map(str.strip, text.split(",")) if name)
