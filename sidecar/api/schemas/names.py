"""Which names indexes may have."""

from __future__ import annotations

from sidecar.errors import InvalidIndexName
from sidecar.indexing.names import shortened, size_bytes
from sidecar.opensearch.request_text import FORBIDDEN_IN_INDEX_NAMES, FORBIDDEN_INDEX_NAME_STARTS

MAX_INDEX_NAME_BYTES = 255

_RESERVED_INDEX_NAMES = frozenset({"bulk", ".opendistro_security"})
_RESERVED_INDEX_STARTS = ("security-auditlog-", ".kibana", ".opendistro")


def is_reserved_index_name(index: str) -> bool:
    """True for the names of the cluster's own indexes and of our routes; `GET /indexes` hides them."""
    return index in _RESERVED_INDEX_NAMES or index.startswith(_RESERVED_INDEX_STARTS)


def check_reserved_index_name(index: str) -> None:
    """Raises: InvalidIndexName for a reserved name. The first check of a new index."""
    if is_reserved_index_name(index):
        raise InvalidIndexName(f"The index name {index!r} is reserved. Choose another name.")


def check_index_name(index: str) -> None:
    """Raises: InvalidIndexName, naming the rule of OpenSearch that a new index's name breaks."""
    found = sorted({character for character in index if character in FORBIDDEN_IN_INDEX_NAMES})
    if not index:
        rule = "it must not be empty"
    elif index != index.lower():
        rule = "it must be lower case"
    elif found:
        rule = f"it must not contain {' '.join(map(repr, found))}"
    elif index[0] in FORBIDDEN_INDEX_NAME_STARTS:
        rule = f"it must not start with {index[0]!r}"
    elif index in {".", ".."}:
        rule = "it must not be '.' or '..'"
    elif (size := size_bytes(index)) > MAX_INDEX_NAME_BYTES:
        rule = f"it is {size} bytes long; the limit is {MAX_INDEX_NAME_BYTES}"
    else:
        return
    raise InvalidIndexName(f"{shortened(index)} can't be the name of an index: {rule}.")
