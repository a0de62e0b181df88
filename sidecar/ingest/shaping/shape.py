"""How records become documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.indexing.requests import CustomVector, FieldMapping
from sidecar.ingest.shaping.ids import ID_FIELD, id_of
from sidecar.ingest.shaping.paths import MISSING, value_at, without
from sidecar.ingest.shaping.types import CONVERSIONS, converted
from sidecar.ingest.shaping.vectors import custom_vector
from sidecar.ingest.sources.json_values import json_value
from sidecar.ingest.sources.source import Record

_JSON_TYPES = frozenset({str, int, float, bool, list, dict})


@dataclass(frozen=True)
class DocumentShape:
    """What is done with each record, in this order:

    ``id_field`` holds the document's id, by the record's own names; None: ``_id``, or else the source's own id, or
    else one made of the part's name and the row. ``rename`` leads from a record's name, of a value inside objects
    too (``meta.title``), to a document's. Of the record's other fields, ``keep`` are the only ones taken, where given,
    and ``drop`` those that are not; a field without a value (None) is none. ``types`` are those of fields whose text
    must become something else (keys of `types.CONVERSIONS`), by the document's names, as all that follows; ``set`` are
    values that every document gets, whatever the record has there. ``tensor_fields`` are embedded; so are
    ``image_fields``, whose values are pointers to images. ``precomputed`` are fields that hold vectors, each with the
    field whose text its vector stands for (None: no text).

    Raises: InvalidArgument where two of these contradict each other, or a type is unknown.
    """

    id_field: str | None = None
    tensor_fields: tuple[str, ...] = ()
    image_fields: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    precomputed: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fault = next(self._faults(), None)
        if fault is not None:
            raise InvalidArgument(f"The shape of documents contradicts itself: {fault}.")

    @property
    def embedded_fields(self) -> tuple[str, ...]:
        """The document's fields that have vectors, each once."""
        return tuple(dict.fromkeys((*self.tensor_fields, *self.image_fields, *self.precomputed)))

    @property
    def needs_model(self) -> bool:
        """True where some field's vectors do not come with the records."""
        return not set(self.embedded_fields) <= set(self.precomputed)

    def mappings(self) -> dict[str, FieldMapping]:
        """What the write path must know of fields that are objects."""
        return {name: CustomVector() for name in self.precomputed}

    def document(self, record: Record) -> dict[str, Any]:
        """The record as a document of the ``/indexes`` API, its ``_id`` included: the same each time for one record,
        which stays as it is. Whether the API takes its values, the write path finds.

        Raises: InvalidArgument, which names the field and why its value can't be used; also for a record that could
        not be read.
        """
        source = record.document
        if source is None:
            raise InvalidArgument(record.error or "the row can't be read")
        document_id = id_of(record, source, self.id_field)
        document = self._renamed(source) if self.rename else self._taken(source)
        for name, kind in self.types.items():
            if name in document:
                document[name] = converted(name, kind, document[name])
                if document[name] is None:
                    del document[name]
        document.update(self._set_values)
        for name, text_field in self.precomputed.items():
            if name in document:
                document[name] = custom_vector(name, document[name], document.get(text_field or ""))
        document[ID_FIELD] = document_id
        return document

    def _renamed(self, source: dict[str, Any]) -> dict[str, Any]:
        rest, renamed = source, {}
        for path, name in self.rename.items():
            value = value_at(source, path)
            if value is not MISSING:
                rest = without(rest, path)
                renamed.update(self._kept({name: value}.items()))
        document = self._taken(rest)
        twice = document.keys() & renamed.keys()
        if twice:
            raise InvalidArgument(
                f"field {min(twice)!r} is there twice: as such, and as what another is renamed to. Drop or rename one"
            )
        return document | renamed

    def _taken(self, source: dict[str, Any]) -> dict[str, Any]:
        if self.keep:
            return self._kept((name, source[name]) for name in self.keep if name in source)
        if self.drop:
            return self._kept((name, value) for name, value in source.items() if name not in self.drop)
        return self._kept(source.items())

    def _kept(self, fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        return {
            name: value if type(value) in _JSON_TYPES else json_value(value)
            for name, value in fields
            if value is not None and name != ID_FIELD
        }

    @cached_property
    def _set_values(self) -> dict[str, Any]:
        return {name: json_value(value) for name, value in self.set.items()}

    def _faults(self) -> Iterator[str]:
        names = list(self.rename.values())
        yield from (f"{name!r} is what two fields are renamed to" for name in names if names.count(name) > 1)
        yield from (f"{name!r} is renamed and dropped" for name in self.rename if name in self.drop)
        yield from (f"{name!r} is kept and dropped" for name in self.keep if name in self.drop)
        if ID_FIELD in (*names, *self.set):
            yield f"{ID_FIELD!r} can't be set, nor be what a field is renamed to: name the field that has the id"
        known = ", ".join(CONVERSIONS)
        for name, kind in self.types.items():
            if kind not in CONVERSIONS:
                yield f"{name!r} is to be {kind!r}, which is no type; known are {known}"
