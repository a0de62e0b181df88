"""The record of one migration, kept in the cluster: read by all, changed only by the one process that holds it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.ingest.migration.state import MigrationState
from sidecar.opensearch.job_records import JobRecord, JobRecords
from sidecar.opensearch.switching import record_name

LEASE_SECONDS = 30.0
"""How long a process that does not renew its hold keeps others out; clocks that differ by less do no harm."""
_RENEWALS = 3
"""Of a hold, while it lasts."""
_HOLDER = "holder"
_UNTIL = "until"


class Ledger:
    """One migration's record, held as long as the `with` block lasts; safe to use from any thread.

    A second process is refused. One that was killed holds the record until its time is up, or until a process of the
    same machine sees that it is gone.
    """

    def __init__(self, records: JobRecords, record: JobRecord) -> None:
        self._records = records
        self._record = record
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._lost: str | None = None
        self._holder = {"machine": _machine(), "process": os.getpid(), "run": os.urandom(8).hex()}
        self._renewing = threading.Thread(target=self._renew, name="migration lease", daemon=True)

    @classmethod
    def begin(cls, records: JobRecords, state: MigrationState) -> Ledger:
        """A ledger of a new migration; one that is over is replaced.

        Raises: InvalidArgument where another process has begun one of that name in this moment.
        """
        name = record_name(state.name)
        before = records.read(name)
        value = state.to_record()
        record = records.create(name, value) if before is None else records.replace(before, value)
        if record is None:
            raise InvalidArgument(f"Another process has just begun a migration of {state.name!r}.")
        return cls(records, record)

    @classmethod
    def find(cls, records: JobRecords, name: str) -> Ledger | None:
        """The ledger of the migration that was begun last; None where there was none."""
        record = records.read(record_name(name))
        return None if record is None else cls(records, record)

    @property
    def state(self) -> MigrationState:
        """How far the migration is, as this process last read or wrote it."""
        return MigrationState.from_record(self._record.value)

    def save(self, state: MigrationState) -> None:
        """Write down how far the migration is.

        Raises: OpenSearchError where another process has taken it over; then nothing was written.
        """
        with self._lock:
            self._write_locked(state.to_record())

    def check(self) -> None:
        """Return where this process holds the record. Raises: OpenSearchError where it does not any more."""
        with self._lock:
            self._write_locked(self._record.value)

    def __enter__(self) -> Ledger:
        """Take hold. Raises: InvalidArgument where another process has it."""
        if is_held(self._record):
            holder = self._record.value[_HOLDER]
            raise InvalidArgument(
                f"The migration of {self.state.name!r} is being run by process {holder['process']} of "
                f"{holder['machine'].partition('/')[0]}. Where that is not so any more, wait "
                f"{max(1, round(self._record.value[_UNTIL] - time.time()))} s and try again."
            )
        self.check()
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewing.join()
        with self._lock, suppress(OpenSearchError):
            # What can't be given back is free when its time is up.
            self._write_locked(self._record.value, is_held=False)

    def _write_locked(self, value: Mapping[str, Any], *, is_held: bool = True) -> None:
        if self._lost is not None:
            raise OpenSearchError(self._lost)
        lease = {_HOLDER: self._holder, _UNTIL: time.time() + LEASE_SECONDS} if is_held else {_HOLDER: None, _UNTIL: 0}
        told = {**value, **lease}
        record = self._records.replace(self._record, told) or self._written_anew(told)
        if record is None:
            self._lost = "Another process has taken this migration over; this one leaves it to that."
            raise OpenSearchError(self._lost)
        self._record = record

    def _written_anew(self, told: Mapping[str, Any]) -> JobRecord | None:
        """Write over a state of our own whose answer was lost; None where it is somebody else's."""
        now = self._records.read(self._record.name)
        holder = None if now is None else now.value.get(_HOLDER)
        if now is None or not holder or holder["run"] != self._holder["run"]:
            return None
        return self._records.replace(now, told)

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / _RENEWALS):
            # What goes wrong here is told by the next `save`.
            with suppress(OpenSearchError):
                self.check()


def is_held(record: JobRecord) -> bool:
    """True where a process is at work on the record's migration."""
    holder = record.value.get(_HOLDER)
    if holder is None or record.value[_UNTIL] <= time.time():
        return False
    if holder["machine"] != _machine():
        return True
    try:
        os.kill(holder["process"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    """What tells processes that see each other from all others: containers of one machine do not."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "/".join(parts)
