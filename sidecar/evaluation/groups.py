"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice


def in_groups(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """The items in their order, in lists of so many; the last may be shorter."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
