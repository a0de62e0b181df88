"""What a search is about: its indexes, and the search pipeline that holds for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.declarations.search_processors import SEARCH_KINDS
from sidecar.native.json.edits import Edit
from sidecar.native.json.removal import without_items
from sidecar.native.json.spans import Array, Node, Object, string_value
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.rewriter import QueryRewriter
from sidecar.native.reading import credentials_of
from sidecar.native.targets import has_remote
from sidecar.opensearch.passthrough import RawRequest

_PIPELINE: Final = "search_pipeline"
_NO_PIPELINE: Final = "_none"
_PIT_SEGMENTS: Final = "/_cat/pit_segments?h=index"


def rewriter_of(
    call: NativeCall, body: Object, data: bytes, *, expression: str, options: Mapping[str, str] | None = None
) -> tuple[QueryRewriter, SearchPipeline]:
    """What rewrites a search's body to its indexes, and the pipeline that holds.

    ``expression`` names the indexes, empty text all of them; ``options`` say what patterns mean, the request's own
    parameters where none are given.
    Raises: NotServed where nothing can be known of the indexes; NotJson for text that is no UTF-8.
    """
    pit = _point_in_time(body, data)
    if pit is not None:
        expression = ",".join(_indexes_of(pit, call))
        # Names of indexes as they are: one that was closed or deleted meanwhile is nobody's fault.
        options = {"ignore_unavailable": "true", "expand_wildcards": "all"}
    facts = call.parts.metadata.of(expression, call.request, parameters=options)
    is_remote = has_remote(expression)
    if facts is None and not is_remote:
        raise NotServed
    facts = facts or ()
    pipeline = effective_pipeline(call, body, data, facts)
    return QueryRewriter(call.parts, facts, pipeline, has_remote=is_remote), pipeline


def effective_pipeline(call: NativeCall, body: Object, data: bytes, facts: tuple[IndexFacts, ...]) -> SearchPipeline:
    """The search pipeline of a request: by its parameter, its body's key, or what all its indexes have by default."""
    name = call.request.parameters.get(_PIPELINE)
    node = body.get(_PIPELINE)
    if name is None and isinstance(node, Object):
        return call.parts.pipelines.search_in_body(node, data)[0]
    if name is None:
        name = string_value(node, data)
    if name is None:
        defaults = {index.search_pipeline for index in facts}
        name = defaults.pop() if len(defaults) == 1 else None
    if name is None or name == _NO_PIPELINE:
        return SearchPipeline()
    return call.parts.pipelines.search(name, call.request)


def without_own_processors(body: Object, data: bytes) -> list[Edit]:
    """The edits that take from a search pipeline in a body what the sidecar does in the cluster's place."""
    pipeline = body.get(_PIPELINE)
    edits: list[Edit] = []
    for key, kinds in SEARCH_KINDS.items():
        array = pipeline.get(key) if isinstance(pipeline, Object) else None
        if isinstance(array, Array):
            own = {place for place, item in enumerate(array.items) if _names(item) in [[kind] for kind in kinds]}
            edits += without_items(array, own)
    return edits


def _names(processor: Node) -> list[str]:
    return [member.key for member in processor.members] if isinstance(processor, Object) else []


def _point_in_time(body: Object, data: bytes) -> str | None:
    pit = body.get("pit")
    return string_value(pit.get("id"), data) if isinstance(pit, Object) else None


def _indexes_of(pit: str, call: NativeCall) -> list[str]:
    """The names of the indexes of a point in time, asked for as the caller.

    Raises: NotServed where they are not told; an index without a document is not.
    """
    body = orjson.dumps({"pit_id": [pit]})
    answer = call.parts.upstream.send(
        RawRequest("GET", _PIT_SEGMENTS, [*credentials_of(call.request), ("content-type", "application/json")], body)
    )
    text = answer.read()
    names = list(dict.fromkeys(re.findall(r"\S+", text.decode("utf-8", "replace"))))
    if answer.status != 200 or not names:
        raise NotServed
    return names
