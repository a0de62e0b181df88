"""What the cluster's answers say of an index, as the native face needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.errors import NotASidecarIndex, OpenSearchError
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.stored import own_meta, read_declarations, vector_fields
from sidecar.opensearch.decoding import decode_object
from sidecar.opensearch.index_state import IndexState, index_state_of, narrows
from sidecar.opensearch.switching import WRITE_BLOCK

logger = logging.getLogger(__name__)

_NO_PIPELINE = "_none"


def read_facts(answer: bytes) -> tuple[IndexFacts, ...]:
    """The indexes of an answer of `GET /{target}`."""
    return tuple(index_facts(name, facts) for name, facts in decode_object(answer).items())


def index_facts(name: str, facts: Mapping[str, Any]) -> IndexFacts:
    """One index of such an answer: ``mappings``, ``settings`` as they are kept, ``aliases`` and ``data_stream``."""
    mapping = facts.get("mappings") or {}
    index = dict(_flat(facts.get("settings") or {}))
    aliases = facts.get("aliases") or {}
    state = _state(name, facts, mapping)
    return IndexFacts(
        name=name,
        declarations=read_declarations(mapping, None if state is None else state.settings),
        vector_fields={field.path: field for field in vector_fields(mapping)},
        default_pipeline=_pipeline(index.get("index.default_pipeline")),
        final_pipeline=_pipeline(index.get("index.final_pipeline")),
        search_pipeline=_pipeline(index.get("index.search.default_pipeline")),
        aliases={alias: one.get("is_write_index") for alias, one in aliases.items()},
        narrowed=frozenset(alias for alias, one in aliases.items() if narrows(one)),
        data_stream=facts.get("data_stream"),
        is_write_blocked=index.get(WRITE_BLOCK) == "true",
        state=state,
    )


def _state(name: str, facts: Mapping[str, Any], mapping: Mapping[str, Any]) -> IndexState | None:
    if "settings" not in own_meta(mapping):
        return None
    try:
        # Whoever keeps these facts knows by their age when to read them again.
        return index_state_of(name, {name: facts}, etag="")
    except (NotASidecarIndex, OpenSearchError) as error:
        logger.warning("the embeddings of an index are left alone: %s", error.message)
        return None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their dotted names, however they are spelled; a list is one value."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _pipeline(name: Any) -> str | None:
    return None if name in (None, "", _NO_PIPELINE) else str(name)
