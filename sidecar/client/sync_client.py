"""The client that waits for its answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
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


class SidecarClient:
    """One sidecar, over kept connections; safe to use from any thread. Close it, or use it with ``with``.

    ``timeout_seconds`` is the longest silence that is borne while an answer is awaited, ``long_timeout_seconds`` the
    same where documents are embedded. ``http`` is a client of httpx of your own, with its proxies and certificates;
    it stays open.
    """

    def __init__(
        self,
        url: str = URL,
        *,
        api_key: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        long_timeout_seconds: float = LONG_TIMEOUT_SECONDS,
        retries: Retries = RETRIES,
        http: httpx.Client | None = None,
    ) -> None:
        self.sidecar = Sidecar(url, api_key, timeout_seconds, long_timeout_seconds)
        self.retries = retries
        self._http = httpx.Client(trust_env=trusts_environment(url)) if http is None else http
        self._is_own = http is None

    def index(self, name: str) -> Index:
        """An index, or an alias, by its name; nothing is asked."""
        return Index(self, name)

    def call(self, call: Call[T]) -> T:
        """Carry out one call. Raises: ApiError, NoAnswer."""
        return self.run(exchange(call, self.retries))

    def run(self, steps: Steps[T]) -> T:
        """Carry out these steps. Raises: what they raise."""
        try:
            step = next(steps)
            while True:
                step = steps.send(self._do(step))
        except StopIteration as end:
            result: T = end.value
            return result

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self._http.close()

    def __enter__(self) -> SidecarClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SidecarClient({self.sidecar.url!r})"

    def _do(self, step: Call[Any] | Wait) -> Answer:
        answer = Answer()
        if isinstance(step, Wait):
            time.sleep(step.seconds)
            return answer
        request = self.sidecar.request(self._http, step)
        try:
            with closing(self._http.send(request, stream=True)) as received:
                answer.begin(received)
                for piece in received.iter_bytes():
                    answer.body += piece
        except httpx.RequestError as error:
            answer.fault = error
        return answer


class Index:
    """One index of a sidecar. Every call raises `ApiError` or `NoAnswer` where it has no result."""

    def __init__(self, client: SidecarClient, name: str) -> None:
        self.name = name
        self._client = client

    def search(self, question: Search | Query) -> Hits:
        """The hits of a search; a text, a mixture or a picture is the ``q`` of one."""
        return self._client.call(calls.search(self.name, question))

    def search_all(self, question: Search | Query, *, page_hits: int = PAGE_HITS) -> Iterator[Hit]:
        """Every hit of a search, of the index as it is at the first, however many there are.

        ``page_hits`` are asked for at a time; ``limit`` is not looked at. A tensor search compares every vector, so
        that it ends with the last document. Raises: ValueError where the search has an offset.
        """
        return self._hits_of(Pages(self.name, question, page_hits))

    def recommend(self, question: Recommend | Sequence[str]) -> Hits:
        """Documents like those of these ids."""
        return self._client.call(calls.recommend(self.name, question))

    def stream(self, documents: Iterable[Document], options: AddOptions | Sequence[str]) -> Iterator[Progress]:
        """Add documents while they are read; tells of each batch when it is acknowledged. Nothing is sent but by
        iterating. ``options`` may be the list of fields to embed.

        One document that is wrong fails alone. Memory holds one batch. A document that is sent again, since the
        connection broke, is written twice with the same content.
        Raises: StreamBroken, which tells what was acknowledged; what ``documents`` raise, the rest of the batch unsent.
        """
        return self._progress_of(documents, add_options(options))

    def add(self, documents: Iterable[Document], options: AddOptions | Sequence[str]) -> Progress:
        """As `stream`, to the end; returns the counts of all, and the first 1,000 failures."""
        return self._sum_of(documents, add_options(options))

    def add_dataframe(
        self, frame: pandas.DataFrame, options: AddOptions | Sequence[str], *, id_column: str | None = None
    ) -> Progress:
        """Add a document for each row of a table; a column is a field, ``id_column`` (else ``_id``) has the ids.

        Missing values are left out, dates and times become texts of ISO 8601; a row whose values have no JSON fails
        alone. Raises: as `stream`; KeyError where there is no such column; ImportError where pandas is not installed.
        """
        return self._sum_of(documents_of(frame, id_column), add_options(options))

    def update(self, documents: Sequence[Document], options: UpdateOptions = AS_BEFORE) -> Updated:
        """Change some fields of documents, and leave the others as they are."""
        return self._client.call(calls.update(self.name, documents, options))

    def delete_by_query(self, found_by: Filter, *, refresh: bool = False) -> Deletion:
        """Delete all documents that a filter finds; ``"*:*"`` finds all."""
        return self._client.call(calls.delete_by_query(self.name, found_by, refresh=refresh))

    def aliases(self) -> list[str]:
        """The other names of the index."""
        return self._client.call(calls.aliases(self.name))

    def put_alias(self, alias: str) -> AliasMove:
        """Let a name stand for this index, in one step where it stood for another one before."""
        return self._client.call(calls.put_alias(self.name, alias))

    def delete_alias(self, alias: str) -> None:
        """Take a name from the index, whose documents stay."""
        self._client.call(calls.delete_alias(self.name, alias))

    def get(self, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Documents, in the order of the ids; None where there is none."""
        return self._client.call(calls.get(self.name, ids))

    def delete(self, ids: Sequence[str], *, refresh: bool = False) -> Updated:
        """Delete documents by their ids."""
        return self._client.call(calls.delete(self.name, ids, refresh=refresh))

    def refresh(self) -> None:
        """Let searches see all documents that were written."""
        self._client.call(calls.refresh(self.name))

    def create(self, settings: Mapping[str, Any]) -> None:
        """Make the index, with the settings of ``POST /indexes/{index}``."""
        self._client.call(calls.create(self.name, settings))

    def drop(self) -> None:
        """Delete the index, and all documents in it."""
        self._client.call(calls.drop(self.name))

    def __repr__(self) -> str:
        return f"Index({self.name!r} of {self._client.sidecar.url})"

    def _hits_of(self, pages: Pages) -> Iterator[Hit]:
        point = self._client.call(pages.open())
        try:
            page = self._client.call(pages.page(point, None))
            while page.hits:
                yield from page.hits
                page = self._client.call(pages.page(point, page.search_after))
        finally:
            # Where that fails, it goes by itself.
            with suppress(SidecarClientError):
                self._client.run(exchange(pages.close(point), ONCE))

    def _progress_of(self, documents: Iterable[object], options: AddOptions) -> Iterator[Progress]:
        load = DocumentLoad(self.name, options, self._client.retries)
        for document in documents:
            if (batch := load.batcher.add(document)) is not None:
                yield self._client.run(load.send(batch))
        if (batch := load.batcher.rest()).count:
            yield self._client.run(load.send(batch))
        self._client.run(load.finish())

    def _sum_of(self, documents: Iterable[object], options: AddOptions) -> Progress:
        total = Sum()
        for progress in self._progress_of(documents, options):
            total.take(progress)
        return total.whole()
