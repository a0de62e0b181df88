"""What the write path is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A user's document, as JSON gives it."""


@dataclass(frozen=True, slots=True)
class AddDocuments:
    """Documents to add or replace. One of the two field lists is given: the fields whose strings are embedded, or,
    of all fields, those whose strings are not.

    ``refresh`` lets searches see the documents when the call returns. ``text_chunk_prefix``, where not None, takes the
    place of the index's own.
    """

    documents: Sequence[object]
    tensor_fields: tuple[str, ...] | None
    non_tensor_fields: tuple[str, ...] | None
    refresh: bool = False
    text_chunk_prefix: str | None = None

    def embeds(self, field: str) -> bool:
        """True where strings of the field are embedded."""
        if field == "_id":
            return False
        if self.tensor_fields is not None:
            return field in self.tensor_fields
        return field not in (self.non_tensor_fields or ())
