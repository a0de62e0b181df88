"""How far a load is, in a file that is whole at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.plan import Existing
from sidecar.ingest.loading.row_ranges import PartProgress
from sidecar.whole_file import write_whole

_FORMAT = 1


@dataclass
class Checkpoint:
    """``identity`` is what makes the job another than others; ``index_uuid`` names the index that it loads into, by
    more than its name. ``dead_letter_bytes`` is the length of the dead letters that belong to what is done."""

    identity: Mapping[str, Any]
    existing: Existing
    index_uuid: str
    parts: dict[str, PartProgress]
    counts: LoadCounts = field(default_factory=LoadCounts)
    dead_letter_bytes: int = 0
    is_done: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it lies in the file."""
        return {
            "format": _FORMAT,
            "state": "done" if self.is_done else "running",
            "job": dict(self.identity),
            "existing": self.existing.value,
            "index_uuid": self.index_uuid,
            "counts": self.counts.to_json(),
            "dead_letter_bytes": self.dead_letter_bytes,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Checkpoint:
        """Undo `to_json`. Raises: KeyError, TypeError, ValueError for anything else."""
        if kept["format"] != _FORMAT:
            raise ValueError(f"its format is {kept['format']!r}, not {_FORMAT}")
        return cls(
            identity=kept["job"],
            existing=Existing(kept["existing"]),
            index_uuid=str(kept["index_uuid"]),
            parts={name: PartProgress.from_json(name, part) for name, part in kept["parts"].items()},
            counts=LoadCounts(**kept["counts"]),
            dead_letter_bytes=int(kept["dead_letter_bytes"]),
            is_done=kept["state"] == "done",
        )


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The file's checkpoint; None where there is no file. Raises: InvalidArgument where it is none of ours."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return Checkpoint.from_json(orjson.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidArgument(
            f"{path} is no checkpoint of a load: {error}. Remove its folder, and load all again"
        ) from error


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file: a crash, of the machine too, leaves either the old or the new one."""
    write_whole(path, orjson.dumps(checkpoint.to_json()))
