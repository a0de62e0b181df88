"""The shapes of answers with documents, hits and embeddings, as JSON."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import NotRequired, TypedDict

from sidecar.api.openapi.answers import Answer, Count, Milliseconds, Shards, closed, with_others

Status = int
"""An HTTP status of one of several."""


@closed
class AddedItem(TypedDict):
    """A document that was written, or need not be."""

    _id: str
    result: Literal["created", "updated", "noop"]
    status: Status
    forced_refresh: NotRequired[Literal[True]]


@closed
class FailedItem(TypedDict):
    """A document that broke a rule; the others of the request are not affected."""

    _id: str
    error: str
    status: Status
    code: str


@closed
class RefusedItem(TypedDict):
    """A document that the cluster refused; ``error`` is its own."""

    _id: str
    error: dict[str, Any]
    status: Status


@closed
class AddedDocuments(Answer):
    """One item for each document, in their order."""

    errors: bool
    processingTimeMs: Milliseconds
    index_name: str
    items: list[AddedItem | FailedItem | RefusedItem]


@with_others
class DocumentAnswer(TypedDict):
    """A document's own fields, and its id."""

    _id: str


@with_others
class FoundDocument(TypedDict):
    """A document's own fields, and its id; the id alone where there is none."""

    _id: str
    _found: bool


@closed
class FoundDocuments(Answer):
    """One entry for each id, in their order."""

    results: list[FoundDocument]


@closed
class DeletedItem(TypedDict):
    """What became of one id."""

    _id: str
    status: Status
    result: Literal["deleted", "not_found"]
    _shards: Shards


@closed
class DeletionAnswer(Answer):
    """How many documents a filter found, and what became of them."""

    index_name: str
    deleted: Count
    total: Count
    versionConflicts: Count
    failures: list[dict[str, Any]]
    processingTimeMs: Milliseconds


@closed
class DeletionDetails(TypedDict):
    """How many ids there were, and how many documents are gone."""

    receivedDocumentIds: Count
    deletedDocuments: Count


@closed
class DeletedDocuments(Answer):
    """One item for each id, in their order; the times are UTC."""

    index_name: str
    status: Literal["succeeded"]
    type: Literal["documentDeletion"]
    items: list[DeletedItem | RefusedItem]
    details: DeletionDetails
    duration: str
    startedAt: str
    finishedAt: str


@with_others
class Hit(TypedDict):
    """A document's own fields, its id, its score, and the chunk that scored."""

    _id: str
    _score: float | None
    _highlights: NotRequired[dict[str, Any] | list[Any]]
    _explanation: NotRequired[dict[str, Any]]
    _sort: NotRequired[list[Any]]


class Hits(TypedDict):
    """Hits, best first, and what else was asked for."""

    hits: list[Hit]
    query: str | dict[str, float] | None
    limit: int
    offset: int
    aggregations: NotRequired[dict[str, Any]]
    facets: NotRequired[dict[str, dict[str, Any]]]
    searchAfter: NotRequired[list[Any] | None]


@closed
class FoundHits(Hits):
    """The hits of one of several searches."""


@closed
class SearchAnswer(Answer, Hits):
    """The hits of a search."""

    processingTimeMs: Count


@closed
class BulkSearchAnswer(Answer):
    """The hits of each search, in their order."""

    result: list[FoundHits]
    processingTimeMs: Count


@closed
class Embedding(TypedDict):
    """One vector: numbers, or base64 of float32 in little-endian order."""

    object: Literal["embedding"]
    index: Count
    embedding: list[float] | str


@closed
class Usage(TypedDict):
    """Tokens of all texts."""

    prompt_tokens: Count
    total_tokens: Count


@closed
class EmbeddingsAnswer(Answer):
    """One vector for each input, in their order."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


class Model(TypedDict):
    """A model known by name."""

    id: str
    object: Literal["model"]
    created: Count
    owned_by: str


@closed
class ModelEntry(Model):
    """One of several models."""


@closed
class ModelAnswer(Answer, Model):
    """One model."""


@closed
class ModelList(Answer):
    """Every model known by name."""

    object: Literal["list"]
    data: list[ModelEntry]
