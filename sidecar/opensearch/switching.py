"""What a name stands for while it is switched from one index to another, and how long a write that meets this waits.

A migration tells of itself in a job record (`JobRecords`), named by `record_name(NAME)`, whose value has

- ``kind``: `MIGRATION`,
- ``phase``: where it is; in one of `SETTLED_PHASES` no write has to wait,
- ``until``: the unix time, in seconds, up to which somebody works on it; later, nobody is waited for,
- ``old_index``, ``new_index``: the concrete indexes that NAME leads to before and after.

Nobody acts on what he knows of a name for longer than `KNOWN_SECONDS`. So a migration that makes an alias of what was
an index waits `SETTLE_SECONDS` before it lets that alias lead to an index with another model.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from sidecar.errors import IndexNotFound, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.request_text import index_path
from sidecar.opensearch.transport import Request

logger = logging.getLogger(__name__)

MIGRATION: Final = "migration"
SETTLED_PHASES: Final = frozenset({"switched", "finished", "rolled_back"})
KNOWN_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 5.0
WRITE_BLOCK: Final = "index.blocks.write"
"""The setting of an index that takes no writes."""
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5


def record_name(name: str) -> str:
    """The job record of the migration of what clients know by this name."""
    return f"{MIGRATION}:{name}"


@dataclass(frozen=True, slots=True)
class Place:
    """The concrete index that takes the writes of a name, and whether writes to it are blocked."""

    index: str
    is_blocked: bool


def read_place(cluster: Cluster, name: str) -> Place | None:
    """Where a name of one index leads now; None for several indexes or none. Raises what `Cluster.ask` raises."""
    try:
        target = f"{index_path(name)}/_settings/index.uuid,{WRITE_BLOCK}?flat_settings=true"
        found = cluster.ask("read_place", Request("GET", target), name)
    except IndexNotFound:
        return None
    if len(found) != 1:
        return None
    ((index, told),) = found.items()
    return Place(index, told["settings"].get(WRITE_BLOCK) == "true")


@dataclass(frozen=True, slots=True)
class Switch:
    """A migration at work."""

    name: str
    old_index: str
    new_index: str


class Switches:
    """Knows which names are being switched; safe to use from any thread.

    A write waits for ``deadline_seconds`` at most, and no more than ``most_waiting`` do at once: each holds a thread,
    and searches need some.
    """

    def __init__(
        self,
        records: JobRecords,
        *,
        deadline_seconds: float,
        most_waiting: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._clock = clock
        self.deadline_seconds = deadline_seconds
        self.waiting = threading.BoundedSemaphore(most_waiting)

    def of(self, name: str, index: str) -> Switch | None:
        """The migration at work that this name, or the concrete index behind it, takes part in; None where there is
        none, or the cluster does not tell."""
        try:
            record = self._records.read(record_name(name))
            found = None if record is None else self._at_work(record.name, record.value)
            if found is not None:
                return found
            others = [self._at_work(one.name, one.value) for one in self._records.list(MIGRATION)]
        except OpenSearchError as error:
            logger.warning("whether %s is being migrated is not known: %s", name, error.message)
            return None
        return next((one for one in others if one and {name, index} & {one.old_index, one.new_index}), None)

    def _at_work(self, name: str, value: Mapping[str, Any]) -> Switch | None:
        if value.get("phase") in SETTLED_PHASES or float(value.get("until") or 0) <= self._clock():
            return None
        old, new = str(value.get("old_index") or ""), str(value.get("new_index") or "")
        return Switch(name.removeprefix(record_name("")), old, new)

    def begin(self) -> SwitchWait:
        """The patience of one write, to be used with `with`."""
        return SwitchWait(self)


class SwitchWait:
    """How long one write waits, over all its tries; for one thread.

    ``reason`` says why it gave up, where a migration was at work all the time; else it is None.
    """

    def __init__(self, switches: Switches) -> None:
        self.reason: str | None = None
        self._switches = switches
        self._over_at: float | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._is_counted = False

    def until_writable(self, name: str, where: Callable[[], Place | None]) -> bool:
        """Wait until what was refused may be tried again, as ``where`` tells, which reads where the name leads now.

        False where the name leads nowhere, where no migration is at work that would end the block, or where that takes
        too long, or too many wait already.
        Raises what ``where`` raises.
        """
        if self._over_at is None:
            self._over_at = time.monotonic() + self._switches.deadline_seconds
        elif not self._may_pause(name):
            return False
        while (place := where()) is not None:
            if not place.is_blocked:
                return True
            if self._switches.of(name, place.index) is None or not self._may_pause(name):
                return False
        return False

    def __enter__(self) -> SwitchWait:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_counted:
            self._switches.waiting.release()

    def _may_pause(self, name: str) -> bool:
        """Pause before the next look; False where that is too late, or too many do."""
        assert self._over_at is not None
        told = f"[{name}] is write-blocked, for it is being switched to another index"
        if time.monotonic() + self._pause > self._over_at:
            seconds = self._switches.deadline_seconds
            self.reason = f"{told}, which took longer than {seconds:g} s (SIDECAR_OPENSEARCH_RETRY_DEADLINE); try again"
            return False
        if not self._is_counted:
            self._is_counted = self._switches.waiting.acquire(blocking=False)
            if not self._is_counted:
                self.reason = f"{told}, and too many writes wait for that already; try again"
                return False
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return True
