"""Members put at the ends of objects."""

from __future__ import annotations

from typing import Any

from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object
from sidecar.native.json.writing import json_text, quoted


class Additions:
    """Collects members for the objects of one text; those of one object go there together, in the order given."""

    def __init__(self) -> None:
        self._members: dict[int, tuple[Object, list[bytes]]] = {}

    def add(self, node: Object, key: str, value: Any) -> None:
        """Put a member into an object; ``value`` is JSON text already where it is bytes."""
        _, members = self._members.setdefault(node.start, (node, []))
        members.append(member_text(key, value))

    def edits(self) -> list[Edit]:
        """One edit for each object."""
        made = []
        for node, members in self._members.values():
            comma = b"," if node.members else b""
            made.append(Edit(node.end - 1, node.end - 1, comma + b",".join(members)))
        return made


def member_text(key: str, value: Any) -> bytes:
    """A member as it stands in an object; ``value`` is JSON text already where it is bytes."""
    return quoted(key) + b":" + (value if isinstance(value, bytes) else json_text(value))
