"""Streams of documents: requests one after the other, and how far they are.

HTTP/1.1 clients read an answer when their request has ended. So a stream is sent as several requests of bounded size:
each is told of when it is acknowledged, and can be sent again whole where its connection breaks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sidecar.client.batches import Batch, Batcher
from sidecar.client.calls import refresh
from sidecar.client.errors import ApiError, NoAnswer, SidecarClientError, StreamBroken, error_of
from sidecar.client.exchange import Answer, Call, Retries, Steps, exchange, target
from sidecar.client.outcomes import Item, Progress, item_of
from sidecar.client.writes import AddOptions, stream_parameters

_NDJSON = "application/x-ndjson"
KEPT_FAILURES = 1000
"""Of a whole stream's failures so many are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """What the lines of an answer tell: of the first ``received`` documents of the request these failed."""

    received: int
    failures: tuple[Mapping[str, Any], ...]
    error: Mapping[str, Any] | None
    is_whole: bool


class DocumentLoad:
    """One stream of documents into one index, batch by batch; for one thread."""

    def __init__(self, index: str, options: AddOptions, retries: Retries) -> None:
        self.batcher = Batcher(options.batch_documents)
        self._index = index
        self._refreshes = options.refresh
        self._target = target("indexes", index, "documents", parameters=stream_parameters(options))
        self._retries = retries
        self._progress = Progress()

    def send(self, batch: Batch) -> Steps[Progress]:
        """Send a batch; returns how far the stream is then. Raises: StreamBroken."""
        call = Call("POST", self._target, _read_lines, b"".join(batch.lines), _NDJSON, is_long=True)
        try:
            lines = (yield from exchange(call, self._retries)) if batch.lines else _Lines(0, (), None, True)
        except NoAnswer as error:
            raise self._broken(batch, _acknowledged(error.received), error) from error
        except ApiError as error:
            raise self._broken(batch, None, error) from error
        if lines.error is not None:
            reason = error_of(lines.error, status=0, request_id=call.request_id)
            raise self._broken(batch, lines, reason) from reason
        self._progress = self._behind(batch, lines)
        return self._progress

    def finish(self) -> Steps[None]:
        """What stands behind the last batch. Raises: StreamBroken, with all documents acknowledged."""
        if not self._refreshes:
            return
        try:
            yield from exchange(refresh(self._index), self._retries)
        except SidecarClientError as error:
            raise StreamBroken(replace(self._progress, failures=()), error) from error

    def _broken(self, batch: Batch, lines: _Lines | None, reason: SidecarClientError) -> StreamBroken:
        acknowledged = replace(self._progress, failures=()) if lines is None else self._behind(batch, lines)
        return StreamBroken(acknowledged, reason)

    def _behind(self, batch: Batch, lines: _Lines) -> Progress:
        """How far the stream is where so much of the batch is acknowledged."""
        is_all = lines.received == len(batch.lines)
        end = batch.first + batch.count if is_all else batch.positions[lines.received]
        refused = [item_of(batch.positions[entry["line"] - 1], entry) for entry in lines.failures]
        unsendable = [item for item in batch.unsendable if item.position < end]
        failures = tuple(sorted([*refused, *unsendable], key=lambda item: item.position))
        received = end - batch.first
        before = self._progress
        return Progress(
            received=before.received + received,
            succeeded=before.succeeded + received - len(failures),
            failed=before.failed + len(failures),
            failures=failures,
        )


class Sum:
    """The end of a stream, out of its progress: the counts of all, and the first failures."""

    def __init__(self) -> None:
        self._last = Progress()
        self._failures: list[Item] = []

    def take(self, progress: Progress) -> None:
        """Add the next progress."""
        self._last = progress
        self._failures += progress.failures[: KEPT_FAILURES - len(self._failures)]

    def whole(self) -> Progress:
        """All that was taken, as one."""
        return replace(self._last, failures=tuple(self._failures))


def _read_lines(answer: Answer) -> _Lines:
    """Raises: ValueError where the answer is not one of a stream."""
    lines = _parse(bytes(answer.body))
    if not lines.is_whole:
        raise ValueError("the last line is missing")
    return lines


def _acknowledged(received: bytes) -> _Lines | None:
    """What a part of an answer makes sure of; None where that is nothing."""
    whole_lines = received[: received.rfind(b"\n") + 1]
    try:
        return _parse(whole_lines)
    except (ValueError, KeyError, TypeError):  # the part of an answer that is not a stream's
        return None


def _parse(body: bytes) -> _Lines:
    count, failures, error, is_whole = 0, [], None, False
    told = 0
    for line in _json_lines(body):
        if "item" in line:
            failures.append(line["item"])
            continue
        is_whole = "progress" not in line
        counts = line.get("progress", line)
        # The items of failures may come long behind the count of them.
        if counts["failed"] == len(failures):
            count, told = counts["received"], len(failures)
        error = line.get("error")
    return _Lines(count, tuple(failures[:told]), error, is_whole)


def _json_lines(body: bytes) -> Iterator[Mapping[str, Any]]:
    for line in body.splitlines():
        yield json.loads(line)
