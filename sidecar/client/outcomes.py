"""What became of documents and aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one document.

    ``position`` is that in what was given, from 0. ``result`` is ``created``, ``updated``, ``noop``, ``deleted`` or
    ``not_found``, and None of a document that failed; ``error`` and ``code`` then say why. An error of OpenSearch's own
    has no code.
    """

    position: int
    id: str
    status: int
    result: str | None = None
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream of documents is.

    The counts are since its beginning: of the first ``received`` documents, ``succeeded`` are written and ``failed``
    are not. ``failures`` are those that failed since the progress before.
    """

    received: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of each document of an update, in their order."""

    items: tuple[Item, ...]

    @property
    def failures(self) -> tuple[Item, ...]:
        """The items of documents that are unchanged, for a reason."""
        return tuple(item for item in self.items if item.error is not None)


@dataclass(frozen=True, slots=True)
class Deletion:
    """How many documents a filter found, and what became of them.

    ``version_conflicts`` counts those that others changed meanwhile, which stay; ``failures`` are OpenSearch's own.
    """

    deleted: int
    total: int
    version_conflicts: int
    failures: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias, the index that it stands for now, and the one that it stood for before, None where it is new."""

    alias: str
    index: str
    moved_from: str | None


def items_of(entries: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    """The items of an answer, in order."""
    return tuple(item_of(position, entry) for position, entry in enumerate(entries))


def item_of(position: int, entry: Mapping[str, Any]) -> Item:
    """One item of an answer."""
    return Item(
        position=position,
        id=entry["_id"],
        status=entry["status"],
        result=entry.get("result"),
        error=_reason(entry["error"]) if "error" in entry else None,
        code=entry.get("code"),
    )


def _reason(error: Any) -> str:
    """In words: of OpenSearch's error objects the type and the reason."""
    return f"{error.get('type')}: {error.get('reason')}" if isinstance(error, Mapping) else str(error)
