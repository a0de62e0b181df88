"""Documents as lines of JSON."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sidecar.ingest.exporting.embedded import ExportedChunk, check_readable, exported_chunks
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.ingest.exporting.selection import Members, Selection, object_text
from sidecar.ingest.exporting.targets import ExportTarget
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.native.json.layout import on_one_line
from sidecar.native.json.writing import json_text
from sidecar.opensearch.embedded_paths import ROOT


class DocumentMembers:
    """Gives the members under which documents of one index are written; for one thread."""

    def __init__(self, target: ExportTarget, options: ExportOptions) -> None:
        self._target = target
        self._with_vectors = options.with_vectors
        dropped = {ROOT} if target.embedded_fields else set()
        self.selection = Selection(options.fields, dropped if options.with_vectors else dropped | target.computed)

    def of(self, document: StoredDocument) -> Members:
        """The document's id, its routing where it has one, and its own members, in their order."""
        members = [(b'"_id"', orjson.dumps(document.document_id))]
        if document.routing is not None:
            members.append((b'"_routing"', orjson.dumps(document.routing)))
        return members + self.selection.members(document.source, document.data)

    def chunks_of(self, document: StoredDocument) -> dict[str, list[ExportedChunk]]:
        """The chunks of each embedded field that has any, where vectors are asked for.

        Raises: InvalidArgument where the cluster's vectors of the document can't be believed.
        """
        fields = self._target.embedded_fields
        if not self._with_vectors or not fields:
            return {}
        check_readable(document, fields, self._target.max_chunks)
        chosen = [field for field in fields if not self.selection.fields or field in self.selection.fields]
        found = {field: exported_chunks(document, field) for field in chosen}
        return {field: chunks for field, chunks in found.items() if chunks}


def line_of(members: Members, chunks: dict[str, list[ExportedChunk]]) -> bytes:
    """One document's line, the line break included; the chunks are its last member, ``__embeddings``."""
    if chunks:
        fields = [(orjson.dumps(field), _chunks_text(found)) for field, found in chunks.items()]
        members = [*members, (orjson.dumps(ROOT), object_text(fields))]
    return on_one_line(object_text(members)) + b"\n"


def _chunks_text(chunks: Sequence[ExportedChunk]) -> bytes:
    return b"[%b]" % b",".join(
        b'{"vector":%b,"start":%b,"end":%b,"content":%b}'
        % (chunk.vector, json_text(chunk.start), json_text(chunk.end), json_text(chunk.content))
        for chunk in chunks
    )
