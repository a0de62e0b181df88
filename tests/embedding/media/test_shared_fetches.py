import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.embedding.media.shared_fetches import SharedFetches
from sidecar.embedding.media.unreadable import Unreadable

TIMEOUT = 20


class Fetch:
    """A fetch that waits until the gate opens; `calls` are those that were made."""

    def __init__(self, outcome: bytes | Exception) -> None:
        self.calls: list[tuple[str, Mapping[str, str]]] = []
        self.gate = threading.Event()
        self._outcome = outcome

    def __call__(self, url: str, headers: Mapping[str, str]) -> bytes:
        self.calls.append((url, headers))
        assert self.gate.wait(TIMEOUT)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def wait_for_waiting(shared: SharedFetches, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while sum(len(one._condition._waiters) for one in list(shared._under_way.values())) < count:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline


@pytest.mark.parametrize("outcome", [b"content", Unreadable("it is gone")])
def test_a_file_that_many_ask_for_at_once_is_fetched_once(outcome: bytes | Exception) -> None:
    fetch = Fetch(outcome)
    shared = SharedFetches(fetch)
    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(shared.fetch, "http://a/x", {"b": "2", "a": "1"}) for _ in range(4)]
        # Other headers may mean another file.
        futures.append(pool.submit(shared.fetch, "http://a/x", {}))
        wait_for_waiting(shared, 3)
        fetch.gate.set()
        results = [future.exception(TIMEOUT) or future.result() for future in futures]
    assert results == [outcome] * 5
    assert sorted(len(headers) for _, headers in fetch.calls) == [0, 2]


def test_a_file_is_fetched_anew_once_the_fetch_is_over() -> None:
    fetch = Fetch(b"content")
    fetch.gate.set()
    shared = SharedFetches(fetch)
    assert shared.fetch("http://a/x", {}) == shared.fetch("http://a/x", {}) == b"content"
    assert len(fetch.calls) == 2
