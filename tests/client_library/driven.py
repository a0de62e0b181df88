"""Both clients behind one face, so that each test holds for both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from sidecar.client import AsyncIndex, AsyncSidecarClient, SidecarClient

KINDS = ("sync", "async")


class Driven:
    """The asynchronous client, or one of its indexes, each of whose calls is run to its end."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return self._driven(found) if callable(found) else found

    def __repr__(self) -> str:
        return repr(self._target)

    def _driven(self, method: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            if inspect.iscoroutine(result):
                return self._loop.run_until_complete(result)
            if isinstance(result, AsyncIterator):
                return self._each(result)
            return Driven(result, self._loop) if isinstance(result, AsyncIndex) else result

        return call

    def _each(self, values: Any) -> Iterator[Any]:
        try:
            while True:
                yield self._loop.run_until_complete(anext(values))
        except StopAsyncIteration:
            return
        finally:
            self._loop.run_until_complete(values.aclose())


class Clients:
    """Makes clients of one kind, to be closed together."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._loop = asyncio.new_event_loop()
        self._made: list[Any] = []

    def __call__(self, url: str, **options: Any) -> Any:
        made: Any = SidecarClient(url, **options)
        if self.kind == "async":
            made = Driven(AsyncSidecarClient(url, **options), self._loop)
        self._made.append(made)
        return made

    def close(self) -> None:
        for made in self._made:
            made.close()
        self._loop.close()
