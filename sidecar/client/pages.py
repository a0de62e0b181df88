"""All hits of a search, page by page of an index that is kept as it was when the first was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sidecar.client.exchange import Answer, Call, encode, target
from sidecar.client.hits import Hit, hit_of
from sidecar.client.questions import Query, Search, body_of

PAGE_HITS = 1000
KEEP_ALIVE = "5m"
"""How long a page may be looked at before the next is asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some hits, none behind the last document, and where the next page begins."""

    hits: tuple[Hit, ...]
    search_after: Sequence[Any] | None


class Pages:
    """The pages of one search of one index: which call comes next."""

    def __init__(self, index: str, question: Search | Query, page_hits: int) -> None:
        """Raises: ValueError for a search with an offset, which pages have not."""
        asked = question if isinstance(question, Search) else Search(question)
        if asked.offset:
            raise ValueError(f"offset is {asked.offset}; all hits are read from the first on: pass over some yourself")
        # An index of neighbours finds the nearest only; all are found by comparing every vector.
        is_exact = asked.exact or asked.search_method == "TENSOR"
        self._index = index
        self._body = body_of(replace(asked, limit=page_hits, exact=is_exact))
        self._routing = self._body.pop("routing", None)

    def open(self) -> Call[str]:
        """Keep the index as it is now; the result is the id of that."""
        routing = [] if self._routing is None else [("routing", self._routing)]
        path = target("indexes", self._index, "point-in-time", parameters=[("keepAlive", KEEP_ALIVE), *routing])
        return Call("POST", path, lambda answer: str(answer.json()["pointInTime"]))

    def page(self, point_in_time: str, search_after: Sequence[Any] | None) -> Call[Page]:
        """The page that begins there; the first where it is None."""
        behind = {} if search_after is None else {"searchAfter": search_after}
        body = encode(self._body | {"pointInTime": point_in_time} | behind)
        return Call("POST", target("indexes", self._index, "search"), _read_page, body)

    def close(self, point_in_time: str) -> Call[None]:
        """Let the cluster forget what it kept."""
        path = target("indexes", self._index, "point-in-time")
        return Call("DELETE", path, _read_nothing, encode({"pointInTime": point_in_time}))


def _read_page(answer: Answer) -> Page:
    told = answer.json()
    return Page(tuple(map(hit_of, told["hits"])), told["searchAfter"])


def _read_nothing(answer: Answer) -> None:
    """A status of success says it all."""
