"""What the write path is asked to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.embedding.model_spec import CPU, ModelAuth

Document = dict[str, Any]
"""A user's document, as JSON gives it."""


@dataclass(frozen=True, slots=True)
class MultimodalCombination:
    """A field whose objects become one vector: that of each sub-field, by its weight."""

    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CustomVector:
    """A field whose objects bring their own vector."""


FieldMapping = MultimodalCombination | CustomVector


@dataclass(frozen=True, slots=True)
class AddDocuments:
    """Documents to add or replace. One of the two field lists is given: the fields whose strings are embedded, or,
    of all fields, those whose strings are not.

    ``refresh`` lets searches see the documents when the call returns. ``text_chunk_prefix``, where not None, takes the
    place of the index's own. ``mappings`` say which fields may be objects, and what of. ``media_headers`` go with
    requests for images. Images that documents name by URL or path are embedded anew, for they may have changed, unless
    ``use_existing_tensors``. ``auth`` opens the place of a model's files; ``device`` is where models run. ``routing``
    names the shard. A request that ``is_patient`` waits where the embedding queue is full, instead of being refused.

    Where it ``is_partial``, documents have only the fields that change, None for those that go; all other fields of
    what is stored stay. Then both lists may be None, for the fields that the index embeds already. Where it
    ``is_only_new``, which no partial request can be, a document whose id is in the index is left as it is there; no
    model runs for it.
    """

    documents: Sequence[object]
    tensor_fields: tuple[str, ...] | None
    non_tensor_fields: tuple[str, ...] | None
    refresh: bool = False
    text_chunk_prefix: str | None = None
    use_existing_tensors: bool = False
    mappings: Mapping[str, FieldMapping] = field(default_factory=dict)
    media_headers: Mapping[str, str] = field(default_factory=dict)
    auth: ModelAuth | None = None
    device: str = CPU
    routing: str | None = None
    is_partial: bool = False
    is_patient: bool = False
    is_only_new: bool = False

    def embeds(self, name: str) -> bool:
        """True where strings, and mapped objects, of the field are embedded."""
        if name == "_id":
            return False
        if self.tensor_fields is not None:
            return name in self.tensor_fields
        return name not in (self.non_tensor_fields or ())
