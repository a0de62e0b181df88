"""Our own key in a mapping that replaces another: what the index declares is merged back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from sidecar.native.declarations.stored import FIELDS_KEY, own_meta
from sidecar.native.declaring.checks import is_same_origin
from sidecar.native.declaring.translation import META, DeclaredMapping
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.additions import Additions, member_text
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object
from sidecar.native.json.writing import json_text
from sidecar.opensearch.mapping_builder import META_KEY


def merge_own(
    found: DeclaredMapping, mapping: Object, data: bytes, stored: Mapping[str, Any], additions: Additions
) -> list[Edit]:
    """Have the mapping's text keep what the index has under our key: `_meta` is replaced as a whole where it is given.

    New declarations join the old ones, a null withdraws one, and all else of ours stays as it is. ``stored`` is the
    index's mapping.
    """
    members = _own_members(found, data, own_meta(stored))
    if members is None:
        return []
    text = b"{" + b",".join(members) + b"}"
    if found.places.meta is not None:
        own = found.places.meta.member(META_KEY)
        if own is not None:
            return [Edit(own.value.start, own.value.end, text)]
        additions.add(found.places.meta, META_KEY, text)
        return []
    others = (member_text(key, value) for key, value in stored.get(META, {}).items() if key != META_KEY)
    whole = b"{" + b",".join([*others, member_text(META_KEY, text)]) + b"}"
    meta = mapping.member(META)
    if meta is not None:
        return [Edit(meta.value.start, meta.value.end, whole)]
    additions.add(mapping, META, whole)
    return []


def check_origins(found: DeclaredMapping, index: str, stored: Mapping[str, Any], embedder: NativeEmbedder) -> None:
    """Raises: Refused where a vector that the index has is to be computed in another way."""
    fields = _fields(own_meta(stored))
    entries = {path: declared.entry for path, (_, declared) in found.declared.items()} | dict(found.semantic.fields)
    for path, entry in entries.items():
        kept = fields.get(path)
        if isinstance(kept, dict) and not is_same_origin(kept, entry, embedder):
            raise Refused(
                ILLEGAL_ARGUMENT,
                f"[{path}] of index [{index}] is computed from [{_told(kept.get('source'))}] by model "
                f"[{kept.get('model')}]; withdraw that declaration with null before you give it another",
            )


def _own_members(found: DeclaredMapping, data: bytes, own: Mapping[str, Any]) -> Iterator[bytes] | None:
    """The members of our key as they are to be; None where neither the index nor the mapping has any."""
    given = found.places.own
    if not own and given is None and not found.semantic.fields:
        return None
    members = {key: json_text(value) for key, value in own.items() if key != FIELDS_KEY}
    for key, value in () if given is None else given.items():
        if key != FIELDS_KEY:
            members.setdefault(key, value.text(data))
    fields = {path: json_text(entry) for path, entry in _fields(own).items() if path not in found.withdrawn}
    for path, member in found.others.items():
        fields.setdefault(path, member.value.text(data))
    for path, (member, declared) in found.declared.items():
        text = member.value.text(data)
        is_complete = "dimension" in declared.entry
        fields[path] = text if is_complete else text[:-1] + b"," + member_text("dimension", declared.dimensions) + b"}"
    fields |= {path: json_text(entry) for path, entry in found.semantic.fields.items()}
    members[FIELDS_KEY] = b"{" + b",".join(member_text(path, entry) for path, entry in fields.items()) + b"}"
    return (member_text(key, value) for key, value in members.items())


def _fields(own: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = own.get(FIELDS_KEY)
    return fields if isinstance(fields, dict) else {}


def _told(source: Any) -> str:
    return source if isinstance(source, str) else orjson.dumps(source).decode()
