"""How far a migration is: what is kept in the cluster, so that any process can take it up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.opensearch.switching import MIGRATION


class Phase(str, Enum):
    """What is done next; the names are in the record.

    PREPARED: the old index gets a name of its own where it has that of the migration, and the new one is made. COPYING:
    the new index follows the old one. READY: it was checked. SWITCHING: the old index may be write-blocked, and the
    name may lead to either. SWITCHED: it leads to the new one. ROLLING_BACK and SWITCHING_BACK are the same ways back,
    ROLLED_BACK their end. FINISHED: the index that is not used any more is deleted. ABORTED: the new index is.
    """

    PREPARED = "prepared"
    COPYING = "copying"
    READY = "ready"
    SWITCHING = "switching"
    SWITCHED = "switched"
    ROLLING_BACK = "rolling_back"
    SWITCHING_BACK = "switching_back"
    ROLLED_BACK = "rolled_back"
    FINISHED = "finished"
    ABORTED = "aborted"

    @property
    def told(self) -> str:
        """The phase in a sentence."""
        return self.value.replace("_", " ")

    @property
    def is_over(self) -> bool:
        """True where another migration of the name may begin."""
        return self in (Phase.FINISHED, Phase.ABORTED)

    @property
    def is_forward(self) -> bool:
        """True on the way to the new index."""
        return self in (Phase.PREPARED, Phase.COPYING, Phase.READY, Phase.SWITCHING)

    @property
    def is_backward(self) -> bool:
        """True on the way back to the old index."""
        return self in (Phase.ROLLING_BACK, Phase.SWITCHING_BACK)


@dataclass(frozen=True)
class Place:
    """An index by its own name; ``uuid`` is empty until it is made."""

    index: str
    uuid: str = ""


@dataclass(frozen=True)
class Failure:
    """A document that could not be copied: where it is, and why."""

    reason: str
    routing: str | None = None


@dataclass
class CopyState:
    """How far the copying is: ``done`` has, for each shard of the index that is copied from, the sequence number up to
    which the other one has every change. The ``failures`` are by document id; ``bare`` documents came without vectors
    whose content can't be embedded. ``version_base`` plus a change's number is the version of its copy, always above
    those that the index had before."""

    done: dict[int, int] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    copied: int = 0
    deleted: int = 0
    bare: int = 0
    version_base: int = 0


@dataclass(frozen=True)
class MigrationState:
    """One migration. ``name`` leads from ``old`` to ``new``; ``job`` says what it is to do, for a run that takes it up.

    ``clone`` is the name that the old index gets where it has ``name`` itself. ``final`` are settings that the new
    index gets before it takes over. ``switched_at`` has the last change of each shard of the new index that the
    migration made. Times are seconds since 1970; ``blocked_seconds`` is how long writes had to wait at the switch.
    """

    name: str
    phase: Phase
    old: Place
    new: Place
    job: Mapping[str, Any]
    clone: str | None = None
    final: Mapping[str, Any] = field(default_factory=dict)
    copy: CopyState = field(default_factory=CopyState)
    switched_at: Mapping[int, int] = field(default_factory=dict)
    begun: float = 0.0
    renamed: float = 0.0
    blocked_seconds: float | None = None

    def to_record(self) -> dict[str, Any]:
        """The record's value, as `sidecar.opensearch.switching` wants it, without who is at work on it."""
        told = asdict(self)
        told |= {"kind": MIGRATION, "phase": self.phase.value}
        told |= {"old_index": self.old.index, "new_index": self.new.index}
        told["copy"]["done"] = _with_text_keys(self.copy.done)
        told["switched_at"] = _with_text_keys(self.switched_at)
        return told

    @classmethod
    def from_record(cls, value: Mapping[str, Any]) -> MigrationState:
        """Undo `to_record`. Raises: OpenSearchError where somebody else wrote the record."""
        try:
            copy = value["copy"]
            return cls(
                name=value["name"],
                phase=Phase(value["phase"]),
                old=Place(**value["old"]),
                new=Place(**value["new"]),
                job=value["job"],
                clone=value["clone"],
                final=value["final"],
                copy=CopyState(
                    **{
                        **copy,
                        "done": _with_number_keys(copy["done"]),
                        "failures": {key: Failure(**failure) for key, failure in copy["failures"].items()},
                    }
                ),
                switched_at=_with_number_keys(value["switched_at"]),
                begun=value["begun"],
                renamed=value["renamed"],
                blocked_seconds=value["blocked_seconds"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OpenSearchError(
                f"The record of a migration is spoilt, or of another version of the sidecar: {error!r}."
            ) from error


def _with_text_keys(numbers: Mapping[int, int]) -> dict[str, int]:
    return {str(key): value for key, value in numbers.items()}


def _with_number_keys(numbers: Mapping[str, int]) -> dict[int, int]:
    return {int(key): value for key, value in numbers.items()}
