"""The part of a document that is written, in the document's own bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sidecar.native.json.spans import Array, Node, Object

Members = list[tuple[bytes, bytes]]
"""Keys and values, both as JSON text."""


@dataclass
class Selection:
    """Which fields of documents are written: ``fields`` by their dotted paths, all where there are none, without the
    paths ``dropped``. ``met`` are those of ``fields`` that were in any document."""

    fields: tuple[str, ...] = ()
    dropped: Collection[str] = frozenset()
    met: set[str] = field(default_factory=set)

    def members(self, document: Object, data: bytes) -> Members:
        """The document's members that are written."""
        return self._members(document, data, "", is_chosen=not self.fields)

    def _members(self, node: Object, data: bytes, prefix: str, *, is_chosen: bool) -> Members:
        found: Members = []
        for member in node.members:
            path = f"{prefix}{member.key}"
            if path in self.dropped:
                continue
            chosen = is_chosen
            if not chosen and path in self.fields:
                chosen = True
                self.met.add(path)
            value = self._value(member.value, data, f"{path}.", is_chosen=chosen)
            if value is not None:
                found.append((data[member.key_start : member.key_end], value))
        return found

    def _value(self, node: Node, data: bytes, prefix: str, *, is_chosen: bool) -> bytes | None:
        """A value's text; None where nothing of it is written. ``prefix`` is the path of what is in it."""
        if is_chosen and not any(path.startswith(prefix) for path in self.dropped):
            return node.text(data)
        if not is_chosen and not any(path.startswith(prefix) for path in self.fields):
            return None
        if isinstance(node, Object):
            members = self._members(node, data, prefix, is_chosen=is_chosen)
            if not members and not is_chosen:
                return None
            return object_text(members)
        if isinstance(node, Array):
            inner = [self._value(item, data, prefix, is_chosen=is_chosen) for item in node.items]
            kept = [value for value in inner if value is not None]
            return b"[%b]" % b",".join(kept) if kept or is_chosen else None
        return node.text(data) if is_chosen else None


def object_text(members: Members) -> bytes:
    """The members as an object."""
    return b"{%b}" % b",".join(b"%b:%b" % member for member in members)
