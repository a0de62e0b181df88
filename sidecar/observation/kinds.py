"""The words by which metrics, traces and the log tell what is done for a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

INDEXES, NATIVE = "indexes", "native"
FACES = (INDEXES, NATIVE)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})
_LONGEST_INDEX = 200
"""Characters of an index expression that are logged."""


class Work(str, Enum):
    """What a request is for."""

    SEARCH = "search"
    DOCUMENTS = "documents"
    OTHER = "other"


class Stage(str, Enum):
    """What a request spends its time on. Stages of one request may go on side by side."""

    PARSE = "parse"
    LOAD = "load"
    QUEUE = "queue"
    EMBED = "embed"
    MEDIA = "media"
    CLUSTER = "cluster"
    RERANK = "rerank"


@dataclass(frozen=True, slots=True)
class SlowLimits:
    """From how many milliseconds on a request is told as slow, by what it is for; what is not in it never is."""

    milliseconds: Mapping[Work, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its ``route`` as metrics name it, its ``path`` as the log does. One that ``is_quiet`` is logged at the
    level debug."""

    face: str
    route: str
    method: str
    path: str
    work: Work = Work.OTHER
    is_quiet: bool = False

    @property
    def method_label(self) -> str:
        """The method, as long as it is one that there is."""
        return self.method if self.method in _METHODS else "other"


@dataclass(frozen=True, slots=True)
class QueryNote:
    """What the log of slow requests tells of a search, or of several: nothing that was searched for."""

    index: str
    method: str = ""
    limit: int | None = None
    has_filter: bool = False
    queries: int = 1

    def fields(self) -> dict[str, object]:
        """As the log has them."""
        fields: dict[str, object] = {"index": self.index[:_LONGEST_INDEX], "queries": self.queries}
        if self.method:
            fields["search_method"] = self.method
        if self.limit is not None:
            fields["limit"] = self.limit
        return {**fields, "has_filter": self.has_filter}


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What the log of slow requests tells of documents that are written."""

    index: str
    documents: int | None = None

    def fields(self) -> dict[str, object]:
        """As the log has them."""
        counted = {} if self.documents is None else {"documents": self.documents}
        return {"index": self.index[:_LONGEST_INDEX], **counted}
