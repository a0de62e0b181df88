"""Documents as an index has them: their texts, and what ties a later write to the very version that was read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.errors import OpenSearchError
from sidecar.native.json.edits import Edit, cut
from sidecar.native.json.spans import Array, Node, NotJson, Object, read
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.document_scan import DocumentScan
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

WHOLE: Mapping[str, Any] = {}
"""Nothing said: a document with all of its own bytes."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One version of a document. ``source`` is the object of its fields inside the text ``data``."""

    document_id: str
    routing: str | None
    seq_no: int
    primary_term: int
    source: Object
    data: bytes

    def update_lines(self, index: str, names: Collection[str], cleared: Collection[str]) -> bytes:
        """The bulk lines that send these top-level fields again as they are, save that the paths ``cleared`` become
        null; refused by the cluster where the document is another by then.
        """
        return self.update_of(index, self.members(names, cleared))

    def members(self, names: Collection[str], cleared: Collection[str]) -> list[bytes]:
        """These top-level fields as members of an object, save that the paths ``cleared`` are null."""
        return [
            self.data[member.key_start : member.key_end] + b":" + self._text(member.value, f"{member.key}.", cleared)
            if member.key not in cleared
            else self.data[member.key_start : member.key_end] + b":null"
            for member in self.source.members
            if member.key.partition(".")[0] in names
        ]

    def update_of(self, index: str, members: Iterable[bytes]) -> bytes:
        """The bulk lines that merge members into the document; refused where it is another by then."""
        action: dict[str, Any] = {"_index": index, "_id": self.document_id}
        if self.routing is not None:
            action["routing"] = self.routing
        action |= {"if_seq_no": self.seq_no, "if_primary_term": self.primary_term}
        # A line break between values would end the line; inside of strings there is none.
        document = b",".join(members).replace(b"\n", b" ").replace(b"\r", b" ")
        return b'{"update":%b}\n{"doc":{%b}}\n' % (orjson.dumps(action), document)

    def _text(self, node: Node, prefix: str, cleared: Collection[str]) -> bytes:
        """The text of a value, in which cleared vectors are null."""
        edits = [Edit(inner.start, inner.end, b"null") for inner in values_at(node, prefix, cleared)]
        return cut(self.data, edits, node.start, node.end)


def scanned(scan: DocumentScan, *, after: int = -1) -> Iterator[tuple[list[StoredDocument], int]]:
    """The scan's pages as documents, each document once; with each page the number as in `DocumentScan.pages`."""
    seen: set[str] = set()
    for page, told in scan.pages(after=after):
        documents = hits_of(page)
        yield [document for document in documents if document.document_id not in seen], told
        seen = {document.document_id for document in documents if document.seq_no > told}


def read_again(
    cluster: Cluster, index: str, documents: Sequence[StoredDocument], fields: Sequence[str]
) -> list[StoredDocument]:
    """The documents as they are now, by these patterns of fields, without those that are gone."""
    places = [(document.document_id, document.routing) for document in documents]
    return read_stored(cluster, index, places, {"_source": {"includes": list(fields)}})


def read_stored(
    cluster: Cluster, index: str, places: Sequence[tuple[str, str | None]], wanted: Mapping[str, Any] = WHOLE
) -> list[StoredDocument]:
    """The documents of these ids and routings as they are now, without those that are not there; ``wanted`` is what
    `_mget` is told of each."""
    docs = [{"_id": one, **wanted} | ({} if routing is None else {"routing": routing}) for one, routing in places]
    request = Request("POST", f"{index_path(index)}/_mget", encode_json({"docs": docs}), is_repeatable=True)
    text = cluster.ask_text("read_documents", request, index)
    return list(_documents(text, _parsed(text), "docs"))


def hits_of(page: bytes, *, need_sources: bool = False) -> list[StoredDocument]:
    """The documents of a search's answer, in its order; without those whose source is not there.

    Raises: OpenSearchError for such a document where ``need_sources``.
    """
    hits = _parsed(page).get("hits")
    found = hits.get("hits") if isinstance(hits, Object) else None
    if not isinstance(hits, Object) or found is None:
        raise OpenSearchError("The cluster's answer to a search has no hits.")
    documents = list(_documents(page, hits, "hits"))
    if need_sources and isinstance(found, Array) and len(found.items) > len(documents):
        raise OpenSearchError("The cluster does not give the sources of documents; does the index keep them?")
    return documents


def _documents(text: bytes, parent: Object, key: str) -> Iterator[StoredDocument]:
    found = parent.get(key)
    for item in found.items if isinstance(found, Array) else ():
        source = item.get("_source") if isinstance(item, Object) else None
        if not isinstance(item, Object) or not isinstance(source, Object):
            continue  # gone, or kept without its source
        known = {key: node.value(text) for key, node in item.items() if key in _KEYS}
        yield StoredDocument(
            known["_id"], known.get("_routing"), known["_seq_no"], known["_primary_term"], source, text
        )


_KEYS = frozenset({"_id", "_routing", "_seq_no", "_primary_term"})


def _parsed(text: bytes) -> Object:
    try:
        root = read(text)
    except NotJson as error:
        raise OpenSearchError(f"The cluster's answer is not JSON: {error}") from error
    if not isinstance(root, Object):
        raise OpenSearchError("The server does not answer as OpenSearch does.")
    return root


def decoded(text: bytes) -> Any:
    """The value of JSON text, in which a number may also be NaN or infinite, as no JSON has it."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def values_at(node: Node, prefix: str, paths: Collection[str]) -> Iterator[Node]:
    """The values of these paths below a node, in their order; ``prefix`` is the node's own path, with a dot."""
    if isinstance(node, Array):
        for item in node.items:
            yield from values_at(item, prefix, paths)
    elif isinstance(node, Object):
        for key, value in node.items():
            if f"{prefix}{key}" in paths:
                yield value
            elif any(path.startswith(f"{prefix}{key}.") for path in paths):
                yield from values_at(value, f"{prefix}{key}.", paths)
