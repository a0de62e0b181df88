"""The chunks of documents' embedded fields, as they are exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidecar.errors import InvalidArgument
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.native.json.spans import Array, Node, Object
from sidecar.opensearch.embedded_paths import ROOT, embedded_key
from sidecar.opensearch.stored_chunks import chunk_content


@dataclass(frozen=True, slots=True)
class ExportedChunk:
    """``vector`` is its JSON text. ``start`` and ``end`` are the chunk's place in the field's text, None where it is
    not told; ``content`` is what was embedded, None where that is not told either."""

    vector: bytes
    start: int | None
    end: int | None
    content: str | None


def exported_chunks(document: StoredDocument, field: str) -> list[ExportedChunk]:
    """The chunks of one field, in order; none where it has no vectors."""
    stored = document.source.get(field)
    value = stored.value(document.data) if stored is not None and document.data[stored.start] in b'"{' else None
    return [_chunk(entry, document.data, value) for entry in chunk_entries(document, field)]


def chunk_entries(document: StoredDocument, field: str) -> list[Object]:
    """The objects of a field's chunks, as they are stored."""
    root = document.source.get(ROOT)
    return list(_objects(root.get(embedded_key(field)) if isinstance(root, Object) else None))


def check_readable(document: StoredDocument, fields: Sequence[str], max_chunks: int | None) -> None:
    """Raises: InvalidArgument for a document with so many chunks that the cluster gives wrong vectors for it."""
    if max_chunks is None:
        return
    count = sum(len(chunk_entries(document, field)) for field in fields)
    if count > max_chunks:
        raise InvalidArgument(
            f"document '{document.document_id}' has {count:,} chunks, and its index does not store vectors as they "
            f"are: the cluster gives wrong ones for more than {max_chunks}. Export without vectors, or move the "
            "documents into a new index first (sidecar migrate)"
        )


def _objects(node: Node | None) -> Iterator[Object]:
    if isinstance(node, Object):
        yield node
    elif isinstance(node, Array):
        yield from (item for item in node.items if isinstance(item, Object))


def _chunk(entry: Object, data: bytes, value: object) -> ExportedChunk:
    vector = entry.get("vector")
    start, end = _number(entry.get("start"), data), _number(entry.get("end"), data)
    own = entry.get("content")
    content = None if own is None else own.value(data)
    span = None if start is None or end is None else (start, end)
    text = chunk_content(value, span, content if isinstance(content, str) else None)
    return ExportedChunk(b"null" if vector is None else vector.text(data), start, end, text)


def _number(node: Node | None, data: bytes) -> int | None:
    value = None if node is None else node.value(data)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
