"""The indexes that evaluations have made, in files: how far each is filled, and what that took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from sidecar.errors import InvalidArgument
from sidecar.whole_file import write_whole


@dataclass(frozen=True)
class IndexRecord:
    """One index, of the cluster of that uuid.

    The first ``documents`` of its documents are in it. Of these ``counted_documents`` were embedded in requests whose
    time is known, ``counted_seconds``; ``cached_documents`` have their vectors from an earlier evaluation.
    ``seconds`` is the time of all. An index that ``is_kept`` outlasts its evaluation.
    """

    cluster: str
    uuid: str
    is_kept: bool = False
    documents: int = 0
    counted_documents: int = 0
    counted_seconds: float = 0.0
    cached_documents: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0

    @property
    def documents_per_second(self) -> float | None:
        """The rate of embedding and writing; None where any document's vectors were not embedded for this index."""
        if self.cached_documents or not self.counted_seconds:
            return None
        return self.counted_documents / self.counted_seconds


_RECORD = TypeAdapter(IndexRecord)


class RecordFile:
    """The record of one index; held by one process. Made by `Records.open`."""

    def __init__(self, path: Path, record: IndexRecord | None) -> None:
        self._path = path
        self.record = record

    def save(self, record: IndexRecord) -> None:
        """Keep it; the file is whole at any moment."""
        write_whole(self._path, _RECORD.dump_json(record, indent=2))
        self.record = record

    def keep_index(self) -> None:
        """Let the index outlast its evaluation."""
        assert self.record is not None
        self.save(replace(self.record, is_kept=True))

    def delete(self) -> None:
        """Forget the index."""
        self._path.unlink(missing_ok=True)
        self.record = None


class Records:
    """All records of this machine's evaluations, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, index: str) -> Iterator[RecordFile]:
        """The record of an index, which no other process opens meanwhile; it has none where the index is not known.

        Raises: InvalidArgument where another process has it.
        """
        with self.open_if_free(index) as record:
            if record is None:
                raise InvalidArgument(
                    f"Another evaluation uses the index '{index}' of the same data and settings: wait for its end."
                )
            yield record

    @contextmanager
    def open_if_free(self, index: str) -> Iterator[RecordFile | None]:
        """As `open`; None where another process has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{index}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield None
            return
        try:
            path = self._folder / f"{index}.json"
            yield RecordFile(path, _read(path))
        finally:
            lock.release()

    def names(self) -> list[str]:
        """The indexes that have a record, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.json"))


def _read(path: Path) -> IndexRecord | None:
    if not path.exists():
        return None
    try:
        return _RECORD.validate_json(path.read_bytes())
    except ValidationError:
        return None  # of another version: the index is made anew
