"""The update of some fields of a document, with their embeddings, in one step inside the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from sidecar.opensearch.bulk_actions import FieldEmbedding, embedded_member
from sidecar.opensearch.embedded_paths import ROOT, embedded_key

# Values and embeddings change together, so that no reader and no other writer ever sees a text with another's vectors.
# One constant text, which the cluster compiles once.
_SCRIPT = f"""
def source = ctx._source;
def embeddings = source['{ROOT}'];
if (embeddings == null) {{ embeddings = new HashMap(); }}
boolean changed = false;
for (def field : params.removed) {{
  if (source.containsKey(field)) {{ source.remove(field); changed = true; }}
}}
for (def key : params.unembedded) {{
  if (embeddings.containsKey(key)) {{ embeddings.remove(key); changed = true; }}
}}
for (def entry : params.fields.entrySet()) {{
  if (!entry.getValue().equals(source.get(entry.getKey()))) {{
    source.put(entry.getKey(), entry.getValue()); changed = true;
  }}
}}
for (def entry : params.embeddings.entrySet()) {{
  if (!entry.getValue().equals(embeddings.get(entry.getKey()))) {{
    embeddings.put(entry.getKey(), entry.getValue()); changed = true;
  }}
}}
if (changed) {{
  if (embeddings.isEmpty()) {{ source.remove('{ROOT}'); }} else {{ source.put('{ROOT}', embeddings); }}
}} else {{
  ctx.op = 'none';
}}
"""
_HEAD = b'{"script":{"lang":"painless","source":%b,"params":{"fields":' % orjson.dumps(_SCRIPT)


@dataclass(frozen=True)
class FieldChanges:
    """What an update does besides setting values: `removed` fields go; the embeddings that `unembedded` fields, the
    removed ones among them, may have had go too."""

    removed: tuple[str, ...]
    unembedded: tuple[str, ...]


def encode_update(document_json: bytes, changes: FieldChanges, embeddings: Mapping[str, FieldEmbedding]) -> bytes:
    """The body of an update action: the fields in `document_json`, a JSON object, are set whole, and their embeddings
    replaced; fields that are not named stay as they are. A document in which nothing changes is not written.
    """
    others = {
        "removed": changes.removed,
        "unembedded": [embedded_key(field) for field in changes.unembedded],
        "embeddings": embedded_member(embeddings),
    }
    member = orjson.dumps(others, option=orjson.OPT_SERIALIZE_NUMPY)[1:]
    return b"%b%b,%b}}" % (_HEAD, document_json, member)
