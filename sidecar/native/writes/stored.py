"""Fields of stored documents, read as the caller: what a partial update does not name, and a vector needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import orjson

from sidecar.native.errors import STATUS, Refused
from sidecar.native.json.spans import Object, read_object
from sidecar.native.parts import NativeCall
from sidecar.native.reading import CREDENTIALS
from sidecar.native.writes.document import Document
from sidecar.native.writes.planning import StoredFields
from sidecar.opensearch.passthrough import RawRequest

_HEADERS = CREDENTIALS | {"x-opaque-id"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def stored_fields(call: NativeCall, index: str, document_id: str | None, routing: str | None) -> StoredFields:
    """A reader of one document's fields. It raises Refused where the caller may not read the document."""

    def read_fields(fields: Sequence[str]) -> Document | None:
        if document_id is None:
            return None
        parameters = {"_source_includes": ",".join(fields)} | ({} if routing is None else {"routing": routing})
        # Lucene keeps an unpaired surrogate of an id as this.
        stored_id = _SURROGATE.sub("\ufffd", document_id)
        path = f"/{quote(index, safe='', errors='replace')}/_doc/{quote(stored_id, safe='')}"
        target = f"{path}?{urlencode(parameters, errors='replace')}"
        headers = [header for header in call.request.headers if header[0] in _HEADERS]
        answer = call.parts.upstream.send(RawRequest("GET", target, headers))
        status, body = answer.status, answer.read()
        if status == 404:
            return None
        if status != 200:
            raise _refusal(status, body)
        root = read_object(body)
        source = None if root is None else root.get("_source")
        return Document(body, source, document_id) if isinstance(source, Object) else None

    return read_fields


def _refusal(status: int, body: bytes) -> Refused:
    try:
        error = orjson.loads(body)["error"]
        return Refused(error["type"], error["reason"], status=status)
    except (ValueError, KeyError, TypeError):
        return Refused(STATUS, f"the stored document could not be read: status {status}", status=status)
