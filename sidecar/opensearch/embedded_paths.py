"""The names under which the embeddings of a field lie in a document."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, unquote

ROOT = "__embeddings"
EXCLUDED_FROM_SOURCE = f"{ROOT}*"

# k-NN allows none of these in the path of a vector field (they end in file names); contract field names may
# have them. A dot would make two levels of the path, and the percent sign marks what is quoted.
_QUOTED = {ord(character): quote(character, safe="") for character in ' "*\\<|,>/?%'} | {ord("."): "%2E"}


@lru_cache(maxsize=1024)
def embedded_key(field: str) -> str:
    """The key of a field under `__embeddings`: its name, percent-quoted where a vector path can't have it.

    `title` stays `title`; `my title` becomes `my%20title`.
    """
    return field.translate(_QUOTED)


def field_of_key(key: str) -> str:
    """The field that a key under `__embeddings` belongs to; undoes `embedded_key`."""
    return unquote(key, errors="strict")


def nested_path(field: str) -> str:
    """The nested path that holds the field's chunks."""
    return f"{ROOT}.{embedded_key(field)}"


def vector_path(field: str) -> str:
    """The `knn_vector` of the field's chunks."""
    return f"{nested_path(field)}.vector"


def start_path(field: str) -> str:
    """The chunk's first character in the field's text; read it by `docvalue_fields`."""
    return f"{nested_path(field)}.start"


def end_path(field: str) -> str:
    """The character behind the chunk's last one in the field's text; read it by `docvalue_fields`."""
    return f"{nested_path(field)}.end"


def content_path(field: str) -> str:
    """The chunk's content where that is no slice of the field's text; read it by `docvalue_fields`."""
    return f"{nested_path(field)}.content"
