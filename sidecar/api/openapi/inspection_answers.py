"""The shapes of answers that show what is in an index, as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from sidecar.api.openapi.answers import Answer, Count, Milliseconds, closed


@closed
class Storage(TypedDict):
    """Bytes on the disks of all nodes, and those without replicas."""

    totalBytes: Count
    primaryBytes: Count


@closed
class EmbeddedFieldDetails(TypedDict):
    """A field with embeddings: what makes them, and how many documents and chunks have one."""

    field: str
    model: str
    kind: str
    dimensions: Count
    numberOfDocuments: Count
    numberOfVectors: Count


@closed
class DetailsAnswer(Answer):
    """What is in an index, and how much room it takes; ``createdAt`` is UTC."""

    index: str
    aliases: list[str]
    createdAt: str
    numberOfDocuments: Count
    numberOfVectors: Count
    storage: Storage
    embeddedFields: list[EmbeddedFieldDetails]


@closed
class MapPoint(TypedDict):
    """A chunk: where it is on the map, and in its field; ``text`` is the beginning of what was embedded."""

    _id: str
    x: float
    y: float
    start: int
    end: int
    text: str | None
    _routing: NotRequired[str]
    attribute: NotRequired[Any]


@closed
class MapAnswer(Answer):
    """A sample of a field's chunks, and the share of their vectors' variance that each axis shows."""

    index: str
    field: str
    model: str
    dimensions: Count
    numberOfDocuments: Count
    sampledDocuments: Count
    unreadableDocuments: Count
    explainedVariance: Annotated[list[float], Field(min_length=2, max_length=2)]
    points: list[MapPoint]
    processingTimeMs: Milliseconds
