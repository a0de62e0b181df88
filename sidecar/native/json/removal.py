"""Members of objects and items of lists, taken out by their byte ranges, with the commas that go with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Array, Object

_Range = tuple[int, int]


def without_items(array: Array, places: Collection[int]) -> list[Edit]:
    """Edits that take the items at these places out of a list."""
    return _without([(item.start, item.end) for item in array.items], places)


def without_members(node: Object, keys: Collection[str]) -> list[Edit]:
    """Edits that take the members with these keys out of an object."""
    ranges = [(member.key_start, member.value.end) for member in node.members]
    return _without(ranges, [place for place, member in enumerate(node.members) if member.key in keys])


def _without(ranges: Sequence[_Range], places: Collection[int]) -> list[Edit]:
    edits = []
    for is_removed, run in groupby(range(len(ranges)), lambda place: place in places):
        if not is_removed:
            continue
        neighbours = list(run)
        first, last = neighbours[0], neighbours[-1]
        if last + 1 < len(ranges):
            start, end = ranges[first][0], ranges[last + 1][0]
        else:
            start, end = ranges[first - 1][1] if first else ranges[first][0], ranges[last][1]
        edits.append(Edit(start, end, b""))
    return edits
