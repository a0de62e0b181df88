"""The client for asyncio: as `sidecar.client.sync_client`, and thin as that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from sidecar.client import calls
from sidecar.client.errors import SidecarClientError
from sidecar.client.exchange import (
    LONG_TIMEOUT_SECONDS,
    ONCE,
    RETRIES,
    TIMEOUT_SECONDS,
    URL,
    Answer,
    Call,
    Retries,
    Sidecar,
    Steps,
    T,
    Wait,
    exchange,
    trusts_environment,
)
from sidecar.client.frames import documents_of
from sidecar.client.hits import Hit, Hits
from sidecar.client.outcomes import AliasMove, Deletion, Progress, Updated
from sidecar.client.pages import PAGE_HITS, Pages
from sidecar.client.questions import Filter, Query, Recommend, Search
from sidecar.client.streams import DocumentLoad, Sum
from sidecar.client.writes import AS_BEFORE, AddOptions, Document, UpdateOptions, add_options

if TYPE_CHECKING:
    import pandas


class AsyncSidecarClient:
    """As `SidecarClient`, for one event loop. Close it, or use it with ``async with``."""

    def __init__(
        self,
        url: str = URL,
        *,
        api_key: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        long_timeout_seconds: float = LONG_TIMEOUT_SECONDS,
        retries: Retries = RETRIES,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.sidecar = Sidecar(url, api_key, timeout_seconds, long_timeout_seconds)
        self.retries = retries
        self._http = httpx.AsyncClient(trust_env=trusts_environment(url)) if http is None else http
        self._is_own = http is None

    def index(self, name: str) -> AsyncIndex:
        """An index, or an alias, by its name; nothing is asked."""
        return AsyncIndex(self, name)

    async def call(self, call: Call[T]) -> T:
        """Carry out one call. Raises: ApiError, NoAnswer."""
        return await self.run(exchange(call, self.retries))

    async def run(self, steps: Steps[T]) -> T:
        """Carry out these steps. Raises: what they raise."""
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._do(step))
        except StopIteration as end:
            result: T = end.value
            return result

    async def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncSidecarClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncSidecarClient({self.sidecar.url!r})"

    async def _do(self, step: Call[Any] | Wait) -> Answer:
        answer = Answer()
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
            return answer
        request = self.sidecar.request(self._http, step)
        try:
            async with aclosing(await self._http.send(request, stream=True)) as received:
                answer.begin(received)
                async for piece in received.aiter_bytes():
                    answer.body += piece
        except httpx.RequestError as error:
            answer.fault = error
        return answer


class AsyncIndex:
    """As `Index`; documents may come from an asynchronous iterable too."""

    def __init__(self, client: AsyncSidecarClient, name: str) -> None:
        self.name = name
        self._client = client

    async def search(self, question: Search | Query) -> Hits:
        """As `Index.search`."""
        return await self._client.call(calls.search(self.name, question))

    def search_all(self, question: Search | Query, *, page_hits: int = PAGE_HITS) -> AsyncIterator[Hit]:
        """As `Index.search_all`."""
        return self._hits_of(Pages(self.name, question, page_hits))

    async def recommend(self, question: Recommend | Sequence[str]) -> Hits:
        """As `Index.recommend`."""
        return await self._client.call(calls.recommend(self.name, question))

    def stream(
        self, documents: Iterable[Document] | AsyncIterable[Document], options: AddOptions | Sequence[str]
    ) -> AsyncIterator[Progress]:
        """As `Index.stream`."""
        return self._progress_of(documents, add_options(options))

    async def add(
        self, documents: Iterable[Document] | AsyncIterable[Document], options: AddOptions | Sequence[str]
    ) -> Progress:
        """As `Index.add`."""
        return await self._sum_of(documents, add_options(options))

    async def add_dataframe(
        self, frame: pandas.DataFrame, options: AddOptions | Sequence[str], *, id_column: str | None = None
    ) -> Progress:
        """As `Index.add_dataframe`."""
        return await self._sum_of(documents_of(frame, id_column), add_options(options))

    async def update(self, documents: Sequence[Document], options: UpdateOptions = AS_BEFORE) -> Updated:
        """As `Index.update`."""
        return await self._client.call(calls.update(self.name, documents, options))

    async def delete_by_query(self, found_by: Filter, *, refresh: bool = False) -> Deletion:
        """As `Index.delete_by_query`."""
        return await self._client.call(calls.delete_by_query(self.name, found_by, refresh=refresh))

    async def aliases(self) -> list[str]:
        """As `Index.aliases`."""
        return await self._client.call(calls.aliases(self.name))

    async def put_alias(self, alias: str) -> AliasMove:
        """As `Index.put_alias`."""
        return await self._client.call(calls.put_alias(self.name, alias))

    async def delete_alias(self, alias: str) -> None:
        """As `Index.delete_alias`."""
        await self._client.call(calls.delete_alias(self.name, alias))

    async def get(self, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """As `Index.get`."""
        return await self._client.call(calls.get(self.name, ids))

    async def delete(self, ids: Sequence[str], *, refresh: bool = False) -> Updated:
        """As `Index.delete`."""
        return await self._client.call(calls.delete(self.name, ids, refresh=refresh))

    async def refresh(self) -> None:
        """As `Index.refresh`."""
        await self._client.call(calls.refresh(self.name))

    async def create(self, settings: Mapping[str, Any]) -> None:
        """As `Index.create`."""
        await self._client.call(calls.create(self.name, settings))

    async def drop(self) -> None:
        """As `Index.drop`."""
        await self._client.call(calls.drop(self.name))

    def __repr__(self) -> str:
        return f"AsyncIndex({self.name!r} of {self._client.sidecar.url})"

    async def _hits_of(self, pages: Pages) -> AsyncIterator[Hit]:
        point = await self._client.call(pages.open())
        try:
            page = await self._client.call(pages.page(point, None))
            while page.hits:
                for hit in page.hits:
                    yield hit
                page = await self._client.call(pages.page(point, page.search_after))
        finally:
            # Where that fails, it goes by itself.
            with suppress(SidecarClientError):
                await self._client.run(exchange(pages.close(point), ONCE))

    async def _progress_of(
        self, documents: Iterable[object] | AsyncIterable[object], options: AddOptions
    ) -> AsyncIterator[Progress]:
        load = DocumentLoad(self.name, options, self._client.retries)
        async for document in _each(documents):
            if (batch := load.batcher.add(document)) is not None:
                yield await self._client.run(load.send(batch))
        if (batch := load.batcher.rest()).count:
            yield await self._client.run(load.send(batch))
        await self._client.run(load.finish())

    async def _sum_of(self, documents: Iterable[object] | AsyncIterable[object], options: AddOptions) -> Progress:
        total = Sum()
        async for progress in self._progress_of(documents, options):
            total.take(progress)
        return total.whole()


async def _each(documents: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    if isinstance(documents, AsyncIterable):
        async for document in documents:
            yield document
    else:
        for document in documents:
            yield document
