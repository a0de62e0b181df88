"""One document: where the values of a path stand in it, and what is put into it, in the document's own spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Array, Member, Node, Object
from sidecar.native.json.writing import quoted
from sidecar.native.writes.made import Made, MadeObject


class Step(NamedTuple):
    """One object on the way to a value: the way so far, with a dot at its end, and the member that leads on."""

    node: Object
    prefix: str
    member: Member


Place = tuple[Step, ...]
"""Where a value stands: the objects on the way to it, outermost first. The last one's member has the value."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value is to be put: in the place of ``member``'s, or in ``node`` under a new key right behind ``behind``.

    ``path`` is what is left of the path there: below the member, or the new key. It ``is_taken`` where the member has a
    value that is not null.
    """

    node: Object
    path: str
    member: Member | None = None
    behind: Member | None = None
    is_taken: bool = False


def find(node: Object, path: str) -> list[Place]:
    """The places of a dotted path, with and without dots in keys, in all elements of lists; null is a value too."""
    if "." not in path:
        return [(Step(node, "", member),) for member in node.members if member.key == path]
    return list(_find(node, path, "", ()))


def _find(node: Object, path: str, prefix: str, way: Place) -> Iterator[Place]:
    for member in node.members:
        key = member.key
        if key == path:
            yield (*way, Step(node, prefix, member))
        elif path.startswith(key) and path[len(key)] == ".":
            step = Step(node, prefix, member)
            for inner in objects_in(member.value):
                yield from _find(inner, path[len(key) + 1 :], f"{prefix}{key}.", (*way, step))


def objects_in(value: Node) -> Iterator[Object]:
    """The object that a value is, or those in a list, at any depth of lists."""
    # A stack, not recursion: lists may be nested deeper than Python calls may be.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Object):
            yield one
        elif isinstance(one, Array):
            waiting += reversed(one.items)


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """A change to a text by its byte range, whose value is made when it is asked for."""

    start: int
    end: int
    head: bytes
    value: Node

    def made(self) -> Edit:
        """The change. Raises: what making the value raises, as a `MediaError`."""
        return Edit(self.start, self.end, self.head + self.value.text(b""))


def shared_step(source: Place, path: str) -> Step:
    """The innermost object that is on the way to ``source`` and to ``path``."""
    return next(step for step in reversed(source) if path.startswith(step.prefix))


@dataclass(slots=True)
class Document:
    """A document's text and its object, which takes up what is put in.

    ``document_id`` tells equal contents of different documents apart. A document that ``is_partial`` is merged into a
    stored one: ``stored`` reads fields of that, and gives None where there is none.
    """

    data: bytes
    root: Object
    document_id: str
    is_partial: bool = False
    stored: Callable[[Sequence[str]], Document | None] | None = None
    _replaced: list[tuple[int, int, Member]] = field(default_factory=list)
    _added: list[tuple[int, bool, Member]] = field(default_factory=list)

    def slot(self, source: Place, path: str) -> Slot:
        """Where the value of a path goes that is made from the value at ``source``; both count from the same object.

        In the innermost object that is on the way to both; deeper, where objects on the way are there already.
        """
        step = shared_step(source, path)
        return self._slot_in(step.node, path[len(step.prefix) :], step.member)

    def slot_in_root(self, path: str) -> Slot:
        """Where the value of a path goes that is made from nothing in the document."""
        return self._slot_in(self.root, path, None)

    def put(self, slot: Slot, value: Made) -> None:
        """Put a value there; one that is there is replaced."""
        if slot.member is not None:
            member, old = slot.member, slot.member.value
            member.value = MadeObject.around(slot.path, value) if slot.path else value
            if old.start >= 0:
                self._replaced.append((old.start, old.end, member))
            return
        key, node, behind = slot.path, slot.node, slot.behind
        made: Node = value
        if "." in key and not (behind is not None and "." in behind.key):
            key, _, rest = key.partition(".")
            made = MadeObject.around(rest, value)
        member = Member(key, -1, -1, made)
        if not isinstance(node, MadeObject):
            self._added.append((_place_in(node, behind), not node.members, member))
        node.members.append(member)

    def is_null(self, value: Node) -> bool:
        """True for null."""
        return value.start >= 0 and self.data[value.start : value.end] == b"null"

    def edits(self) -> list[Edit]:
        """The changes to the text. Raises: as `PendingEdit.made`."""
        return [edit.made() for edit in self.pending()]

    def pending(self) -> list[PendingEdit]:
        """The changes to the text. They hold on to nothing else of the document."""
        pending = [PendingEdit(start, end, b"", member.value) for start, end, member in self._replaced]
        for place, is_first, member in self._added:
            head = b"%b%b:" % (b"" if is_first else b",", quoted(member.key))
            pending.append(PendingEdit(place, place, head, member.value))
        return pending

    def _slot_in(self, node: Object, path: str, behind: Member | None) -> Slot:
        places = find(node, path)
        if places:
            found = places[0][-1]
            return Slot(found.node, "", found.member, is_taken=not self.is_null(found.member.value))
        while True:
            heads = [member for member in node.members if path.startswith(f"{member.key}.")] if "." in path else []
            inner = heads[0] if heads else None
            if inner is None:
                return Slot(node, path, behind=behind)
            rest = path[len(inner.key) + 1 :]
            if not isinstance(inner.value, Object):
                # Null is as good as an object. Of anything else the cluster will say what it is.
                return Slot(node, rest, inner) if self.is_null(inner.value) else Slot(node, path, behind=behind)
            node, path, behind = inner.value, rest, None


def _place_in(node: Object, behind: Member | None) -> int:
    return behind.value.end if behind is not None and behind.value.end >= 0 else node.end - 1
