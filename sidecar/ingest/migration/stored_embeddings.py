"""A stored document taken apart: what its user sent, and the chunks of each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.errors import InvalidArgument
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.opensearch.bulk_actions import FieldEmbedding
from sidecar.opensearch.embedded_paths import ROOT, field_of_key
from sidecar.opensearch.index_settings import DataType
from sidecar.opensearch.stored_chunks import as_stored


@dataclass(frozen=True, slots=True)
class StoredField:
    """The chunks of one field, at least one, as the cluster gives them."""

    field: str
    chunks: list[dict[str, Any]]

    @property
    def content_hash(self) -> str | None:
        """What was embedded, by its hash; None for vectors that the client brought."""
        found: str | None = self.chunks[0].get("hash")
        return found

    def embedding(self, dimensions: int, data_type: DataType) -> FieldEmbedding:
        """The vectors as an index of such numbers stores them. Raises: InvalidArgument for other dimensions."""
        lengths = {len(chunk["vector"]) for chunk in self.chunks}
        if lengths != {dimensions}:
            raise InvalidArgument(
                f"field {self.field!r} has vectors of {', '.join(map(str, sorted(lengths)))} dimensions, which were "
                f"brought by a client; those of the new index have {dimensions}"
            )
        vectors = as_stored([chunk["vector"] for chunk in self.chunks])
        if data_type == "float":
            vectors = vectors.astype(np.float32)
        elif vectors.dtype != np.int8:
            vectors = as_bytes(vectors.astype(np.float32)).astype(np.int8)
        contents = [chunk.get("content") for chunk in self.chunks]
        # A client that writes to the cluster itself may leave the places out.
        spans = [(chunk.get("start", 0), chunk.get("end", 0)) for chunk in self.chunks]
        return FieldEmbedding(vectors, spans, self.content_hash, contents if any(contents) else None)


@dataclass(frozen=True, slots=True)
class TakenApart:
    """``source`` is the document's own text, an object without our embeddings; ``fields`` are those that have some."""

    document: StoredDocument
    source: bytes
    fields: Mapping[str, StoredField]

    @property
    def chunk_count(self) -> int:
        """Chunks of all fields."""
        return sum(len(field.chunks) for field in self.fields.values())

    def value(self, field: str) -> Any:
        """The field's value; None where it is null or not there."""
        node = self.document.source.get(field)
        return None if node is None else node.value(self.document.data)


def take_apart(document: StoredDocument) -> TakenApart:
    """Raises: InvalidArgument where the document has embeddings in a shape that no face of the sidecar writes."""
    data, members = document.data, document.source.members
    others = [member for member in members if member.key != ROOT]
    if any(member.key.startswith(f"{ROOT}.") for member in others):
        raise InvalidArgument(f"the document has embeddings under keys with dots, as '{ROOT}.…'")
    if len(others) == len(members):
        return TakenApart(document, document.source.text(data), {})
    source = b"{%b}" % b",".join(data[member.key_start : member.value.end] for member in others)
    root = document.source.get(ROOT)
    assert root is not None
    found: Any = orjson.loads(root.text(data))
    fields = {}
    for key, chunks in (found or {}).items():
        listed = chunks if isinstance(chunks, list) else [chunks] if chunks else []
        if listed:
            fields[field_of_key(key)] = StoredField(field_of_key(key), listed)
    return TakenApart(document, source, fields)
