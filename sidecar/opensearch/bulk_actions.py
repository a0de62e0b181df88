"""One document's part of a bulk request, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from sidecar.opensearch.embedded_paths import ROOT, embedded_key
from sidecar.opensearch.error_answers import is_flood_stage, is_write_block

KEPT = "kept"
"""The result of a document that was to be created, and was there already: it is left as it is."""
MOVED = "index_moved"
"""The type of the error of an action that was not sent, for its index is not the one any more that it was made for."""
_ELSEWHERE = frozenset({MOVED, "index_not_found_exception"})
_RETRYABLE = frozenset({429, 503})
_CONFLICT = "version_conflict_engine_exception"
_CREATE = "create"
_UPDATE_TRIES = 3
"""Of an update that others' writes overtake, inside the cluster; after these it is sent again."""


@dataclass(frozen=True)
class BulkAction:
    """Store a document under its id, replacing what is there; without a source, delete it.

    `source` is the document's JSON text, as `encode_source` makes it; where the action `is_update`, which needs the
    document to be there, it is what `encode_update` makes. An action that `is_create` leaves what is there. With a
    `version` it is carried out only where what is there has a lower one, or nothing is. `routing` names the document's
    shard, where its id does not.
    """

    document_id: str
    source: bytes | None = None
    is_update: bool = False
    is_create: bool = False
    version: int | None = None
    routing: str | None = None

    @property
    def name(self) -> str:
        """The action's name in a bulk body."""
        if self.source is None:
            return "delete"
        return "update" if self.is_update else _CREATE if self.is_create else "index"

    def as_lines(self) -> bytes:
        """The action's lines of a bulk body, the last line break included."""
        place: dict[str, Any] = {"_id": self.document_id}
        if self.is_update:
            place["retry_on_conflict"] = _UPDATE_TRIES
        if self.version is not None:
            place |= {"version": self.version, "version_type": "external"}
        if self.routing is not None:
            place["routing"] = self.routing
        header = orjson.dumps({self.name: place}, option=orjson.OPT_APPEND_NEWLINE)
        if self.source is None:
            return header
        # A line break in JSON text can only be white space between values; in a bulk body it would end the
        # document.
        source = self.source.replace(b"\n", b" ") if b"\n" in self.source else self.source
        return b"%b%b\n" % (header, source)


@dataclass(frozen=True)
class FieldEmbedding:
    """The chunks of one field: `vectors` is float32 or, in an index of bytes, int8, shape (n, dimensions); `spans` has
    n pairs (start, end).

    `content_hash` names the content and the model that made the vectors; None where they can't be made again
    from the content, as vectors that a client brought. `contents` has n contents where they are no slices of the
    field's text, as the boxes of an image's parts.
    """

    vectors: npt.NDArray[np.float32] | npt.NDArray[np.int8]
    spans: Sequence[tuple[int, int]]
    content_hash: str | None = None
    contents: Sequence[str | None] | None = None


@dataclass(frozen=True)
class ItemResult:
    """What became of one action.

    `result` is created, updated, deleted, noop or not_found, or `KEPT`, and empty where the action failed; then `error`
    is the cluster's error object, with `type` and `reason`. `status` is the HTTP status of this one action. `shards`
    counts the shard copies that were written: total, successful, failed.
    """

    document_id: str
    result: str
    status: int
    error: Mapping[str, Any] | None = None
    shards: Mapping[str, int] | None = None

    @property
    def is_disk_full(self) -> bool:
        """True where the block of a full disk refused the action."""
        return self.error is not None and is_flood_stage(self.error)

    @property
    def is_turned_away(self) -> bool:
        """True where the action is to be made anew, perhaps for another index: writes to this one are blocked, or it is
        gone, or its name leads elsewhere."""
        return self.error is not None and (is_write_block(self.error) or self.error.get("type") in _ELSEWHERE)

    @property
    def is_retryable(self) -> bool:
        """True where the cluster refused the action for now: it, and a repeat, may still succeed.

        A full disk also answers 429, but stays full for longer than a client waits. A conflict may go where the action
        names no version of its own.
        """
        if self.error is None or self.is_disk_full or self.is_turned_away:
            return False
        return self.status in _RETRYABLE or self.is_conflict

    @property
    def is_conflict(self) -> bool:
        """True where another version of the document than the action needs is there."""
        return self.error is not None and self.error.get("type") == _CONFLICT

    @property
    def is_of_missing_document(self) -> bool:
        """True where there is no document to update."""
        return self.error is not None and self.error.get("type") == "document_missing_exception"

    @classmethod
    def from_answer(cls, item: Mapping[str, Any]) -> ItemResult:
        """Read one item of a bulk answer, as `{"index": {"_id":…, "status":…, …}}`."""
        ((name, outcome),) = item.items()
        error = outcome.get("error")
        if name == _CREATE and error is not None and error.get("type") == _CONFLICT:
            # It may be the action's own document, of a request whose answer was lost.
            return cls(outcome["_id"], KEPT, 200)
        return cls(
            document_id=outcome["_id"],
            result=outcome.get("result", ""),
            status=outcome["status"],
            error=error,
            shards=outcome.get("_shards"),
        )


def encode_source(document_json: bytes, embeddings: Mapping[str, FieldEmbedding]) -> bytes:
    """A document's JSON text with the embeddings of its fields added at its end; its own bytes stay.

    `document_json` must be an object without the key `__embeddings`. Vectors are written as shortest float32
    decimals, always with a point or an exponent; those of bytes as whole numbers.
    """
    if not embeddings:
        return document_json
    member = orjson.dumps({ROOT: embedded_member(embeddings)}, option=orjson.OPT_SERIALIZE_NUMPY)[1:]
    head = document_json.rstrip()[:-1].rstrip()
    return b"%b%b%b" % (head, b"" if head.endswith(b"{") and len(head.lstrip()) == 1 else b",", member)


def embedded_member(embeddings: Mapping[str, FieldEmbedding]) -> dict[str, list[dict[str, Any]]]:
    """The member `__embeddings` of a document that has these fields embedded; its vectors are still arrays."""
    return {embedded_key(field): _chunks(embedding) for field, embedding in embeddings.items()}


def _chunks(embedding: FieldEmbedding) -> list[dict[str, Any]]:
    is_bytes = embedding.vectors.dtype == np.int8
    vectors = np.ascontiguousarray(embedding.vectors, dtype=np.int8 if is_bytes else np.float32)
    chunks: list[dict[str, Any]] = [
        {"vector": vector, "start": start, "end": end}
        for vector, (start, end) in zip(vectors, embedding.spans, strict=True)
    ]
    if embedding.contents is not None:
        for chunk, content in zip(chunks, embedding.contents, strict=True):
            if content is not None:
                chunk["content"] = content
    if chunks and embedding.content_hash is not None:
        chunks[0]["hash"] = embedding.content_hash
    return chunks
