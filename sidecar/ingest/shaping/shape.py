"""How records become documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.ingest.sources.source import Record


@dataclass(frozen=True)
class DocumentShape:
    """``id_field`` holds the document's id, by the record's own names; None: ``_id``, or else the source's own id, or
    else one made of the part's name and the row. ``tensor_fields`` are embedded, by the document's names; so are
    ``image_fields``, whose values are pointers to images. ``rename`` leads from a record's name to a document's;
    ``set`` are values that every document gets; ``types`` are those of fields whose text must become something else
    (``int``, ``float``, ``bool``, ``json``, ``list``, ``str``). ``keep`` are the only fields taken, where given, and
    ``drop`` those that are not. ``precomputed`` are fields that hold vectors, each with the field whose text its vector
    stands for (None: no text)."""

    id_field: str | None = None
    tensor_fields: tuple[str, ...] = ()
    image_fields: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    precomputed: Mapping[str, str | None] = field(default_factory=dict)

    def document(self, record: Record) -> dict[str, Any]:
        """The record as a document of the ``/indexes`` API, its ``_id`` included: the same each time for one record.

        Raises: InvalidArgument, which names the field and why its value can't be used; also for a record that could
        not be read.
        """
        raise NotImplementedError
