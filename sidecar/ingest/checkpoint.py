"""How far a job has come, in a file: for jobs whose result does not tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from sidecar.errors import InvalidArgument
from sidecar.whole_file import write_whole


def job_name(job: Sequence[str]) -> str:
    """A short name for what makes a job another than the next; fit for a file's name."""
    return hashlib.blake2b("\0".join(job).encode(), digest_size=8).hexdigest()


@dataclass
class Checkpoint:
    """Of each index, by its uuid, the sequence number up to which its documents are done, and that at the job's start:
    what came later was written meanwhile.
    """

    path: Path
    job: str
    done: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def at(cls, path: Path, job: Sequence[str]) -> Checkpoint:
        """The file's checkpoint; an empty one where there is no file. ``job`` is what makes this job another than one
        that left a file there.

        Raises: InvalidArgument where the file is another job's, or none of ours.
        """
        name = job_name(job)
        if not path.exists():
            return cls(path, name)
        try:
            kept = orjson.loads(path.read_bytes())
            done = {uuid: (int(after), int(until)) for uuid, (after, until) in kept["done"].items()}
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidArgument(f"{path} is no checkpoint of a backfill: {error!r}.") from error
        if kept.get("job") != name:
            raise InvalidArgument(f"{path} is the checkpoint of another backfill; name another file, or remove it.")
        return cls(path, name, done)

    def keep(self, uuid: str, after: int, until: int) -> None:
        """Write down how far an index is; a crash in this moment leaves the file as it was."""
        self.done[uuid] = after, until
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, orjson.dumps({"job": self.job, "done": self.done}))

    def remove(self) -> None:
        """The job is done."""
        self.path.unlink(missing_ok=True)
