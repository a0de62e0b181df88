"""One fetch for all who ask for the same file at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future


class SharedFetches:
    """Fetches a file once for all who ask for it at the same moment."""

    def __init__(self, fetch: Callable[[str, Mapping[str, str]], bytes]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._under_way: dict[tuple[object, ...], Future[bytes]] = {}

    def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        """The file's bytes. Raises: Unreadable, the same for all."""
        key = (url, *sorted(headers.items()))
        with self._lock:
            others = self._under_way.get(key)
            ours = self._under_way.setdefault(key, Future())
        if others is not None:
            return others.result()
        try:
            ours.set_result(self._fetch(url, headers))
        except BaseException as error:
            ours.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[key]
        return ours.result()
