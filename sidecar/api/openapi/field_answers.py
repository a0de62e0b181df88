"""The shapes of answers about fields and pictures of documents, as JSON."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from sidecar.api.openapi.answers import Answer, Count, closed, with_others


@closed
class DocumentField(TypedDict):
    """A field of documents: OpenSearch's type of it (`object` where it has parts), and what is embedded of it (`text`,
    `image`, `multimodal_combination`, `custom_vector`) by which model; null where nothing is."""

    name: str
    type: str
    embedded: str | None
    model: str | None


@closed
class DocumentFields(Answer):
    """The fields of an index's documents, by name."""

    fields: list[DocumentField]


@closed
class CountedValue(TypedDict):
    """A value, and how many documents have it."""

    value: Any
    count: Count


@closed
class FieldValues(Answer):
    """Values; `others` counts those of the documents that are not told."""

    values: list[CountedValue]
    others: Count


@with_others
class FieldRange(Answer):
    """What is between the least and the greatest of numbers, or of dates as milliseconds (and as texts, with
    `_as_string`); null where no document has one."""

    count: Count
    min: float | None
    max: float | None
