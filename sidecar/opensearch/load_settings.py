"""Index settings that make a load fast while jobs run, and those from before when the last of them is gone."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import IndexNotFound, OpenSearchError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import stands_for_several
from sidecar.opensearch.job_records import JobRecord, JobRecords
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

logger = logging.getLogger(__name__)

KIND = "load"
LEASE_SECONDS = 90.0
"""How long a job counts as alive after its last sign of life: several of these may be lost, and clocks be apart."""
REFRESH_SECONDS = 2
"""Between two refreshes of an index during a load, which stays searchable so far behind. Each ends a segment: seldom
ones make few large segments, into whose graphs a vector costs more to put, and many small ones cost it again where they
are merged. 100,000 vectors of 384 dimensions took 37 s at 5 s, 39 s at 1 s, 49 s at 30 s; 20,000: 7, 6, 9 s."""
SLOW_REFRESH_SECONDS = 5
"""The same where a model holds the load up, at a hundred vectors a second for each processor: 4,000 documents in
requests of 100 were merged three times at 2 s, which took 12 s of the cluster's threads, and not at all at 5 s."""

_REFRESH = "index.refresh_interval"
_REPLICAS = "index.number_of_replicas"
_AUTO_REPLICAS = "index.auto_expand_replicas"
_UUID = "index.uuid"
_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class LoadedIndex:
    """An index at one moment: its own name, whatever alias it was found by, and its settings, flat; without those that
    have never been set."""

    name: str
    settings: Mapping[str, str]

    @property
    def record_name(self) -> str:
        """The name of its record, which another index that gets the same name has not."""
        return f"{KIND}:{self.settings[_UUID]}"


class LoadSettings:
    """Tunes the settings of indexes for jobs, and restores them; any number of processes may do so at once.

    What the settings were before stands in a record of the index before any is changed, and is never read from a tuned
    index. Jobs on one index share the record. A setting is changed only from what it was before to what is tuned, or
    back: one that somebody else gave a third value keeps it. Every method raises what `Cluster.ask` raises; what is
    half done then, another call completes.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        refresh_seconds: int = REFRESH_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``refresh_seconds`` are for indexes that no other job has tuned before."""
        self._refresh_seconds = refresh_seconds
        self._cluster = cluster
        self._records = JobRecords(cluster)
        self._clock = clock

    def join(self, index: str, job: str) -> LoadedIndex:
        """Tune the index for the job, which must `renew` this within `LEASE_SECONDS`; one more time does no harm.

        Raises: IndexNotFound; NotASidecarIndex for an alias of several.
        """
        loaded = self._read(index)
        written = None
        while written is None:
            record = self._records.read(loaded.record_name)
            if record is None:
                value = {"kind": KIND, "index": loaded.name, "settings": self._wanted(loaded), "jobs": {}}
                written = self._records.create(loaded.record_name, self._with(value, job))
            else:
                written = self._records.replace(record, self._with(record.value, job))
        self._tune(written)
        return loaded

    def renew(self, loaded: LoadedIndex, job: str) -> None:
        """A sign of the job's life. One that was thought dead joins anew."""
        while (record := self._records.read(loaded.record_name)) is not None and job in record.value["jobs"]:
            if self._records.replace(record, self._with(record.value, job)) is not None:
                return
        self.join(loaded.name, job)

    def leave(self, loaded: LoadedIndex, job: str) -> None:
        """The job is done, or given up; the last one restores the settings, and lets searches see all documents."""
        self._release(loaded.record_name, job)

    def restore_abandoned(self) -> list[str]:
        """Restore each index all of whose jobs have died; returns the names of these indexes.

        One that can't be restored now, as a closed one, is told in a warning and tried again the next time.
        Raises: OpenSearchUnreachable, OpenSearchTimeout; what may not be read at all.
        """
        restored = []
        for record in self._records.list(KIND):
            if self._living(record):
                continue
            try:
                if self._release(record.name, None):
                    restored.append(str(record.value["index"]))
            except (OpenSearchUnreachable, OpenSearchTimeout):
                raise
            except OpenSearchError as error:
                logger.warning(
                    "the settings of index '%s', which a dead load has left, can't be restored: %s",
                    record.value["index"],
                    error.message,
                )
        return restored

    def _release(self, record_name: str, job: str | None) -> bool:
        """Take the job out of the record; True where the settings are restored, for it was the last."""
        is_restored = False
        while (record := self._records.read(record_name)) is not None:
            others = {name: expiry for name, expiry in self._living(record).items() if name != job}
            if others:
                written = self._records.replace(record, {**record.value, "jobs": others})
                if written is None:
                    continue
                if is_restored:
                    # It joined after the record was read, and may have found the settings tuned still.
                    self._tune(written)
                return False
            self._restore(record)
            is_restored = True
            if self._records.delete(record):
                break
        return is_restored

    def _tune(self, record: JobRecord) -> None:
        loaded = self._read(record.value["index"])
        changes = {
            setting: values["tuned"]
            for setting, values in record.value["settings"].items()
            if loaded.settings.get(setting) == values["before"]
        }
        # After a crash the index may have documents, which are not to lose their copies.
        if _REPLICAS in changes and not self._is_empty(loaded.name):
            del changes[_REPLICAS]
        self._change(loaded.name, changes)

    def _restore(self, record: JobRecord) -> None:
        try:
            loaded = self._read(record.value["index"])
            if loaded.record_name != record.name:
                return  # another index of that name
            self._change(
                loaded.name,
                {
                    setting: values["before"]
                    for setting, values in record.value["settings"].items()
                    if loaded.settings.get(setting) == values["tuned"]
                },
            )
            self._cluster.refresh(loaded.name)
        except IndexNotFound:
            return

    def _wanted(self, loaded: LoadedIndex) -> dict[str, dict[str, str | None]]:
        """What to change, each with the value before (None: not set) and the tuned one."""
        wanted: dict[str, dict[str, str | None]] = {}
        refresh = loaded.settings.get(_REFRESH)
        if refresh is None or _seconds(refresh) < self._refresh_seconds:
            wanted[_REFRESH] = {"before": refresh, "tuned": f"{self._refresh_seconds}s"}
        replicas = loaded.settings.get(_REPLICAS)
        is_automatic = loaded.settings.get(_AUTO_REPLICAS, "false") != "false"
        # Copied whole at the end, a replica costs less than one that builds each segment's graph of vectors too.
        if replicas not in {None, "0"} and not is_automatic and self._is_empty(loaded.name):
            wanted[_REPLICAS] = {"before": replicas, "tuned": "0"}
        return wanted

    def _with(self, value: Mapping[str, Any], job: str) -> dict[str, Any]:
        now = self._clock()
        living = {name: expiry for name, expiry in value["jobs"].items() if expiry > now}
        return {**value, "jobs": {**living, job: now + LEASE_SECONDS}}

    def _living(self, record: JobRecord) -> dict[str, float]:
        now = self._clock()
        return {name: expiry for name, expiry in record.value["jobs"].items() if expiry > now}

    def _read(self, index: str) -> LoadedIndex:
        target = f"{index_path(index)}/_settings?flat_settings=true"
        answer = self._cluster.ask("read_settings", Request("GET", target), index)
        if len(answer) != 1:
            raise stands_for_several(index, answer)
        ((name, facts),) = answer.items()
        return LoadedIndex(name, facts["settings"])

    def _change(self, index: str, changes: Mapping[str, str | None]) -> None:
        if changes:
            target = f"{index_path(index)}/_settings"
            request = Request("PUT", target, encode_json(changes), is_repeatable=True)
            self._cluster.ask("change_settings", request, index)

    def _is_empty(self, index: str) -> bool:
        self._cluster.refresh(index)
        return self._cluster.count(index, ())[0] == 0


def _seconds(interval: str) -> float:
    """A time as OpenSearch writes it; infinity for -1, which is never."""
    found = re.fullmatch(r"(\d+)(nanos|micros|ms|s|m|h|d)", interval)
    if found is None:
        return 0.0 if interval == "0" else float("inf")
    return int(found[1]) * _UNITS[found[2]]
