"""Patterns with ``*`` for any letters, as OpenSearch has them in names, matched in a short time whatever they are."""

from __future__ import annotations


def matches_wildcard(pattern: str, text: str) -> bool:
    """True where the text is what the pattern says; ``*`` is any letters or none, all else is itself.

    Each part is sought once, behind the one before it: a regular expression with several ``.*`` would try all ways to
    part the text, which for a few of them takes longer than anybody waits.
    """
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *between, last = others
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
