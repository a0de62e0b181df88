"""The id of the document that a record becomes."""

from __future__ import annotations

import hashlib
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.indexing.names import shortened
from sidecar.ingest.shaping.paths import MISSING, value_at
from sidecar.ingest.sources.source import Record

ID_FIELD = "_id"
"""Where documents of the `/indexes` API have their ids."""
_DIGEST_BYTES = 10
"""20 hexadecimal digits: among 1,000,000,000 records two are alike with a chance of 1 in 2,000,000."""


def id_of(record: Record, document: dict[str, Any], id_field: str | None) -> str:
    """The id that the field has; where none is named: ``_id``, or the source's own, or one made of part and row.

    Raises: InvalidArgument where the field that is named, or ``_id``, has no string and no whole number.
    """
    if id_field is None and document.get(ID_FIELD) is None:
        return record.document_id if record.document_id is not None else made_id(record)
    name = id_field or ID_FIELD
    value = value_at(document, name)
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is MISSING or value is None or value == "":
        raise InvalidArgument(f"field {name!r}, which has the id, is not there, or empty")
    raise InvalidArgument(
        f"field {name!r}, which has the id, is {shortened(value)} of type {type(value).__name__}: it must be a string "
        "or a whole number"
    )


def made_id(record: Record) -> str:
    """An id that the same row of the same part always has."""
    return hashlib.blake2b(f"{record.part}\n{record.row}".encode(), digest_size=_DIGEST_BYTES).hexdigest()
