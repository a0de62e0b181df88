"""Writers at the sidecar's three doors that never give up: each sends its documents until all were accepted."""

from __future__ import annotations

import json
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.ingest.loading.command import Ingest, write_lines

BATCH = 25
_AGAIN_SECONDS = 0.05
_ANSWER_SECONDS = 60.0
_NOT_NOW = frozenset({429, 500, 502, 503, 504})
_FULL = "disk_watermark_breach_error"


@dataclass(frozen=True)
class Change:
    """A document written, or deleted where it has no text."""

    document_id: str
    text: str | None


def changes(prefix: str, count: int, seed: int) -> list[list[Change]]:
    """Batches that write so many documents; of each hundred, ten are written once more, and five deleted, later on.

    A batch has each document once, so that its own order does not matter.
    """
    moments = random.Random(seed)
    ids = [f"{prefix}{number}" for number in range(count)]
    batches: list[list[Change]] = []
    for first in range(0, count, BATCH):
        batches.append(
            [Change(name, f"Text of {name}. It is long. It has parts.") for name in ids[first : first + BATCH]]
        )
        earlier = ids[:first]
        if len(earlier) < 4 * BATCH:
            continue
        chosen = moments.sample(earlier, 4)
        batches.append([Change(name, f"Text {first} of {name}. Now it has another.") for name in chosen[:3]])
        batches.append([Change(chosen[3], None)])
    return batches


def outcome(batches: Sequence[Sequence[Change]]) -> dict[str, str]:
    """The text of each document that is there when all is done."""
    found: dict[str, str] = {}
    for change in (change for batch in batches for change in batch):
        if change.text is None:
            found.pop(change.document_id, None)
        else:
            found[change.document_id] = change.text
    return found


class Door(ABC):
    """A client that sends batch after batch, each until it is accepted whole."""

    def __init__(self, batches: Sequence[Sequence[Change]]) -> None:
        self.batches = batches
        self.sent_again = 0
        self.done = 0
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def finish(self, seconds: float) -> None:
        """Wait until all is accepted. Raises: what was answered that no client should have to bear."""
        self._thread.join(seconds)
        if self.failure is not None:
            raise self.failure
        assert not self._thread.is_alive(), f"{type(self).__name__} has sent {self.done} of {len(self.batches)} batches"

    @abstractmethod
    def send(self, batch: Sequence[Change]) -> bool:
        """Whether all of the batch was accepted. Raises: AssertionError where sending it again would not help."""

    def _work(self) -> None:
        try:
            for batch in self.batches:
                while not self._is_sent(batch):
                    self.sent_again += 1
                    time.sleep(_AGAIN_SECONDS)
                self.done += 1
        except BaseException as error:
            self.failure = error

    def _is_sent(self, batch: Sequence[Change]) -> bool:
        try:
            return self.send(batch)
        except requests.RequestException:
            return False


class ApiDoor(Door):
    """By `POST /indexes/{index}/documents` and `delete-batch`."""

    def __init__(self, url: str, index: str, batches: Sequence[Sequence[Change]]) -> None:
        super().__init__(batches)
        self._url = f"{url}/indexes/{index}/documents"

    def send(self, batch: Sequence[Change]) -> bool:
        written = [{"_id": one.document_id, "title": one.text} for one in batch if one.text is not None]
        deleted = [one.document_id for one in batch if one.text is None]
        is_sent = not written or self._ask("", {"documents": written, "tensorFields": ["title"]})
        return is_sent and (not deleted or self._ask("/delete-batch", deleted))

    def _ask(self, path: str, body: Any) -> bool:
        answer = requests.post(self._url + path, json=body, timeout=_ANSWER_SECONDS)
        told = answer.json()
        if answer.status_code in _NOT_NOW or told.get("code") == _FULL:
            return False
        assert answer.status_code == 200, answer.text
        failed = [item for item in told["items"] if "error" in item] if told.get("errors") else []
        assert all(item["status"] in _NOT_NOW or _is_blocked(item) for item in failed), failed
        return not failed


class NativeDoor(Door):
    """By `_bulk` on the OpenSearch port."""

    def __init__(self, url: str, index: str, batches: Sequence[Sequence[Change]]) -> None:
        super().__init__(batches)
        self._url = f"{url}/{index}/_bulk"

    def send(self, batch: Sequence[Change]) -> bool:
        lines: list[Any] = []
        for one in batch:
            action = "delete" if one.text is None else "index"
            lines.append({action: {"_id": one.document_id}})
            if one.text is not None:
                lines.append({"title": one.text})
        body = "".join(json.dumps(line) + "\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = requests.post(self._url, data=body, headers=headers, timeout=_ANSWER_SECONDS)
        if answer.status_code in _NOT_NOW:
            return False
        assert answer.status_code == 200, answer.text
        items = [result for item in answer.json()["items"] for result in item.values()]
        refused = [item for item in items if item["status"] >= 400 and item.get("result") != "not_found"]
        assert all(item["status"] in _NOT_NOW or _is_blocked(item) for item in refused), refused
        return not refused


def _is_blocked(item: dict[str, Any]) -> bool:
    """Whether the cluster takes no writes for now, as with a full disk."""
    error = item["error"]
    return isinstance(error, dict) and error.get("type") == "cluster_block_exception"


class IngestDoor:
    """By `sidecar ingest`, whose process is killed like the server, and run again until it is through."""

    def __init__(self, cluster_url: str, index: str, folder: Path, batches: Sequence[Sequence[Change]]) -> None:
        self.batches = [[one for one in batch if one.text is not None] for batch in batches]
        rows = [{"_id": one.document_id, "title": one.text} for batch in self.batches for one in batch]
        source = write_lines(folder / "rows.jsonl", rows)
        self._command = Ingest(cluster_url, folder / "home", source, "--index", index, "--tensor-fields", "title")
        self._options = ("--batch", "25", "--streams", "2")
        self.kills = 0
        self.is_done = False
        self._begin()

    def kill(self) -> None:
        """Kill it (kill -9) and run it again, unless it is through."""
        if self.is_done:
            return
        if self._running.kill_after(0.0):
            self.kills += 1
            self._begin()
        else:
            self._end()

    def finish(self) -> None:
        """Wait until all is loaded."""
        if not self.is_done:
            self._end()

    def _begin(self) -> None:
        self._running = self._command.start(*self._options)

    def _end(self) -> None:
        status, said = self._running.end()
        assert status == 0, said
        self.is_done = True
