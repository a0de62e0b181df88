"""One load as it outlasts its runs: its folder with the checkpoint and the dead letters, held by one run at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from sidecar.errors import InvalidArgument, SidecarError, reason_of
from sidecar.ingest.checkpoint import job_name
from sidecar.ingest.loading.beginning import Met, goes_on
from sidecar.ingest.loading.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.dead_letters import DeadLetter, DeadLetterFile
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.row_ranges import PartProgress, RowRange
from sidecar.ingest.sources.locations import STANDARD_INPUT, local_path, shown_location
from sidecar.ingest.sources.source import Source

SAVE_SECONDS = 1.0


class Job:
    """What is done of a load, kept on the disk; for one thread. Made by `open_job`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._path = folder / "checkpoint.json"
        self._checkpoint: Checkpoint | None = read_checkpoint(self._path)
        self._letters = DeadLetterFile(
            folder / "dead-letters.jsonl", length=0 if self._checkpoint is None else self._checkpoint.dead_letter_bytes
        )
        self._saved_at = time.monotonic()

    @property
    def dead_letters(self) -> Path:
        """The file of the documents that failed, in all runs of the job."""
        return self._letters.path

    @property
    def counts(self) -> LoadCounts:
        """What became of documents in all runs of the job."""
        return self._begun.counts

    @property
    def is_done(self) -> bool:
        """True where nothing is left to do, and the job's last run said so."""
        return self._begun.is_done

    def begin(self, existing: Existing, met: Met) -> bool:
        """Go on with the job, or begin it anew; True where it goes on, or is done already.

        Raises: InvalidArgument where the user must say which; nothing is changed then.
        """
        is_going_on = goes_on(self._checkpoint, existing, met)
        if not is_going_on:
            self._letters.clear()
            parts = {name: PartProgress(fingerprint) for name, fingerprint in met.fingerprints.items()}
            self._checkpoint = Checkpoint(met.identity, existing, met.index_uuid, parts)
            self.save()
        return is_going_on

    def progress_of(self, part: str) -> PartProgress:
        """What is done of a part, and what is left."""
        return self._begun.parts[part]

    def commit(self, rows: Iterable[RowRange], counts: LoadCounts, failed: Iterable[DeadLetter]) -> None:
        """Note rows as dealt with for good, with what became of them. Saved about once a second."""
        for each in rows:
            self.progress_of(each.part).add(each)
        self._letters.append(failed)
        self.counts.add(counts)
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self.save()

    def finish(self) -> None:
        """The source is read to its end, and all of it dealt with."""
        self._begun.is_done = True
        self.save()

    def save(self) -> None:
        """Have all that was committed on the disk."""
        # First the letters: those that the checkpoint does not know of are cut off and written again.
        self._begun.dead_letter_bytes = self._letters.sync()
        write_checkpoint(self._path, self._begun)
        self._saved_at = time.monotonic()

    def close(self) -> None:
        """Close the files; what was not saved is done again by the next run."""
        self._letters.close()

    @property
    def _begun(self) -> Checkpoint:
        assert self._checkpoint is not None, "the job has not begun"
        return self._checkpoint


@contextmanager
def open_job(home: Path, plan: LoadPlan, name: str | None = None) -> Iterator[Job]:
    """The job of the plan, or of the name given, which no other process of this machine runs meanwhile.

    Raises: InvalidArgument where one does, or where the job's folder has no checkpoint of ours; SidecarError where the
    folder can't be made.
    """
    own_name = name or _name_of(plan)
    if "/" in own_name or own_name in {".", ".."}:
        raise InvalidArgument(f"{own_name!r} can't be the name of a job, for its folder is named so: leave out slashes")
    folder = home / "ingest" / own_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SidecarError(
            f"The job can't be kept in {folder}: {reason_of(error)}. "
            "Make room there, or name another folder by SIDECAR_HOME."
        ) from error
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InvalidArgument(
            f"the job {own_name} is running already on this machine. Wait for its end, or stop it; another load of the "
            "same source into the same index needs a name of its own (--job)"
        ) from error
    try:
        job = Job(own_name, folder)
        try:
            yield job
        finally:
            job.close()
    finally:
        lock.release()


def identity_of(plan: LoadPlan) -> dict[str, Any]:
    """What makes a load another than others: its source, index and shape. As JSON has it."""
    source = plan.source
    identity: dict[str, Any] = {
        "source": _place(source.location),
        "format": None if source.format is None else source.format.value,
        "captions": None if source.captions is None else _place(source.captions),
        "encoding": source.encoding,
        "index": plan.index,
        "shape": asdict(plan.shape),
    }
    known: dict[str, Any] = orjson.loads(orjson.dumps(identity, default=repr))
    return known


def _name_of(plan: LoadPlan) -> str:
    text = orjson.dumps(identity_of(plan), option=orjson.OPT_SORT_KEYS).decode()
    return f"{plan.index}-{job_name([text])}"


def fingerprints_of(source: Source) -> Mapping[str, str]:
    """Of the source's parts, by name and in their order."""
    return {part.name: part.fingerprint for part in source.parts()}


def _place(location: str) -> str:
    """The location, whatever folder the command was started in, and without credentials."""
    path = local_path(location)
    if path is None or location == STANDARD_INPUT:
        return shown_location(location)
    return str(Path(path).expanduser().absolute())
