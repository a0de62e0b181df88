"""Sending bulk bodies until each item is stored, refused for good, or the patience is used up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tenacity import RetryCallState, Retrying, retry_if_result
from tenacity.wait import wait_random_exponential

from sidecar import telemetry
from sidecar.errors import OpenSearchError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.opensearch.bulk_actions import MOVED, BulkAction, ItemResult
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.decoding import read_as

log = logging.getLogger(__name__)

# Full jitter: a random wait of up to 0.1 s, then 0.2, 0.4 … and never above the longest.
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0


def uncounted(actions: int) -> None:
    """The `BulkWatch.on_repeat` of callers that do not count."""


def untimed(actions: int, seconds: float) -> None:
    """The `BulkWatch.on_body` of callers that do not time."""


@dataclass(frozen=True, slots=True)
class BulkWatch:
    """What is told of bodies on their way.

    ``on_repeat`` is called with the number of actions that are sent again, each time that some are; ``on_body`` after
    each body that the cluster has answered, with the number of actions that it did not refuse for now, and the seconds
    that it took.
    """

    on_repeat: Callable[[int], object] = uncounted
    on_body: Callable[[int, float], object] = untimed


NOBODY_WATCHES = BulkWatch()

IsCurrent = Callable[[], bool]
"""Asked before each request: whether the actions are still for the index that they were made for."""


def unwatched() -> bool:
    """The `IsCurrent` of callers whose actions fit whatever index the name leads to."""
    return True


class BulkSender:
    """Sends the bodies of one stream, one after the other; not for use by several threads.

    Repeated are only the items that the cluster refused for now (429, 503, an update that other writers overtook), or
    all where no answer came. The
    clock of `retry_deadline_seconds` starts with the first refusal, and again only after a body got through:
    a cluster that stays away costs a stream the deadline once, not once for each body. After it, a body is
    tried once; where no answer came at all, not even that. Behind an action that was turned away nothing is sent.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        *,
        retry_deadline_seconds: float,
        watch: BulkWatch = NOBODY_WATCHES,
        routing: str | None = None,
        is_current: IsCurrent = unwatched,
    ) -> None:
        self._cluster = cluster
        self._is_current = is_current
        self.watch = watch
        self._index = index
        self._routing = routing
        self._retry_deadline_seconds = retry_deadline_seconds
        self._refused_since: float | None = None
        self.lost: OpenSearchError | None = None
        """Why no answer came when the sender gave up; None while there is hope."""
        self.turned_away: ItemResult | None = None
        """What became of the first action that was turned away; None while there is none."""

    def send(self, actions: Sequence[BulkAction], *, refresh: bool = False) -> list[ItemResult]:
        """Send actions; returns what became of each, in their order. Ids may repeat: the last one wins.

        Raises: IndexNotFound, OpenSearchError and others where the cluster refuses the request as a whole;
        then none of the actions was carried out.
        """
        if self.lost is not None:
            return [_unsent(action, self.lost) for action in actions]
        attempts = _Attempts(self, actions, refresh)
        retrying = Retrying(
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
            stop=self._is_out_of_time,
            retry=retry_if_result(bool),
            retry_error_callback=lambda state: True,
        )
        is_refused = retrying(attempts.once)
        if not is_refused:
            self._refused_since = None
        elif attempts.lost is not None:
            self.lost = attempts.lost
        return attempts.results()

    def send_once(self, actions: Sequence[BulkAction], refresh: bool) -> list[ItemResult]:
        """One bulk request, or none where the actions are turned away. Raises what `Cluster.bulk` raises."""
        if self.turned_away is None and not self._is_current():
            error = {"type": MOVED, "reason": f"[{self._index}] is not the index any more that the write was made for"}
            self.turned_away = ItemResult("", "", 503, error)
        if self.turned_away is not None:
            return [replace(self.turned_away, document_id=action.document_id) for action in actions]
        body = b"".join(action.as_lines() for action in actions)
        scope = "delete_documents" if actions[0].source is None else "add_documents"
        began = time.perf_counter()
        with telemetry.timed(f"{scope}.opensearch._bulk"):
            items = self._cluster.bulk(self._index, body, refresh=refresh, routing=self._routing)
        seconds = time.perf_counter() - began
        with read_as("a bulk"):
            results = [ItemResult.from_answer(item) for item, _ in zip(items, actions, strict=True)]
        self.watch.on_body(sum(not result.is_retryable for result in results), seconds)
        self.turned_away = next((result for result in results if result.is_turned_away), None)
        return results

    def _is_out_of_time(self, state: RetryCallState) -> bool:
        now = time.monotonic()
        if self._refused_since is None:
            self._refused_since = now
        return now - self._refused_since + state.upcoming_sleep >= self._retry_deadline_seconds


class _Attempts:
    """The attempts at one body: what is left to do, and the newest result of each action."""

    def __init__(self, sender: BulkSender, actions: Sequence[BulkAction], refresh: bool) -> None:
        self._sender = sender
        self._actions = actions
        self._refresh = refresh
        self._results: dict[int, ItemResult] = {}
        self._pending = list(range(len(actions)))
        self.lost: OpenSearchError | None = None

    def once(self) -> bool:
        """Send what is left; True where some of it was refused for now."""
        pending = [self._actions[position] for position in self._pending]
        if self._results:
            self._sender.watch.on_repeat(len(pending))
        self.lost = None
        try:
            results = self._sender.send_once(pending, self._refresh)
        except (OpenSearchUnreachable, OpenSearchTimeout) as error:
            self.lost = error
            results = [_unsent(action, error) for action in pending]
        except OpenSearchError as error:
            if error.upstream_status not in {429, 503}:
                raise
            results = [_unsent(action, error) for action in pending]
        self._results.update(zip(self._pending, results, strict=True))
        self._pending = self._to_repeat(self._pending)
        if self._pending:
            first = self._results[self._pending[0]].error or {}
            log.warning(
                "OpenSearch refused %d of %d writes for now: %s",
                len(self._pending),
                len(pending),
                first.get("reason"),
            )
        return bool(self._pending)

    def results(self) -> list[ItemResult]:
        """The newest result of each action, in their order."""
        return [self._results[position] for position in range(len(self._actions))]

    def _to_repeat(self, positions: Iterable[int]) -> list[int]:
        """The refused actions, and those behind one on the same document: else the older one would win."""
        refused_ids: set[str] = set()
        repeated = []
        for position in positions:
            document_id = self._actions[position].document_id
            if self._is_refused_for_now(position) or document_id in refused_ids:
                refused_ids.add(document_id)
                repeated.append(position)
        return repeated

    def _is_refused_for_now(self, position: int) -> bool:
        result = self._results[position]
        # The version that an action names is not a higher one the next time.
        return result.is_retryable and not (result.is_conflict and self._actions[position].version is not None)


def _unsent(action: BulkAction, error: OpenSearchError) -> ItemResult:
    """The item of an action whose request was refused or got no answer."""
    return ItemResult(
        document_id=action.document_id,
        result="",
        status=error.upstream_status or 503,
        error={"type": error.upstream_type or error.code, "reason": error.message},
    )
