"""What a search is about: its indexes, and the search pipeline that holds for it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sidecar.native.addressing import concrete_expression, own_names
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.declarations.search_processors import SEARCH_KINDS
from sidecar.native.json.edits import Edit
from sidecar.native.json.removal import without_items
from sidecar.native.json.spans import Array, Node, Object, string_value
from sidecar.native.json.writing import json_text
from sidecar.native.parts import NativeCall
from sidecar.native.queries.fields import NotServed
from sidecar.native.queries.rewriter import QueryRewriter
from sidecar.native.reading import credentials_of
from sidecar.native.targets import has_remote
from sidecar.opensearch.passthrough import RawRequest

_PIPELINE: Final = "search_pipeline"
_NO_PIPELINE: Final = "_none"
_PIT_SEGMENTS: Final = "/_cat/pit_segments?h=index"
_LOOKS: Final = 10
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Scope:
    """What rewrites a search's body to its indexes, and the pipeline that holds. ``address`` is the expression by which
    the search is to be sent to these very indexes, where that is another than the client's."""

    rewriter: QueryRewriter
    pipeline: SearchPipeline
    address: str | None


@dataclass(slots=True)
class Scopes:
    """Finds what the searches of one request are about; for one thread."""

    call: NativeCall
    have_address: bool = False
    """True where one of them is to be sent by another expression than the client's."""
    _named: list[tuple[str, Mapping[str, str] | None, frozenset[str]]] = field(default_factory=list)

    def of(self, body: Object, data: bytes, *, expression: str, options: Mapping[str, str] | None = None) -> Scope:
        """The scope of a search's body. ``expression`` names the indexes, empty text all of them; ``options`` say what
        patterns mean, the request's own parameters where none are given.

        Raises: NotServed where nothing can be known of the indexes; NotJson for text that is no UTF-8.
        """
        call = self.call
        pit = _point_in_time(body, data)
        if pit is not None:
            # Names of indexes as they are: one that was closed or deleted meanwhile is nobody's fault.
            options = {"ignore_unavailable": "true", "expand_wildcards": "all"}
            expression = ",".join(_indexes_of(pit, call))
        facts = call.parts.metadata.of(expression, call.request, parameters=options)
        is_remote = has_remote(expression)
        if facts is None and not is_remote:
            raise NotServed
        facts = facts or ()
        address = None
        if pit is None:
            address = concrete_expression(expression, facts)
            self._named.append((expression, options, own_names(expression, facts)))
        self.have_address |= address is not None
        pipeline = effective_pipeline(call, body, data, facts)
        return Scope(QueryRewriter(call.parts, facts, pipeline, has_remote=is_remote), pipeline, address)

    def are_current(self) -> bool:
        """False where a name that was an index's own is an alias by now, by which the search may have found others."""
        metadata, request = self.call.parts.metadata, self.call.request
        for expression, options, names in self._named:
            facts = metadata.of(expression, request, parameters=options) if names else None
            if facts is not None and not names <= {one.name for one in facts}:
                return False
        return True

    def are_moving(self) -> bool:
        """True where an index gives its own name away: a node closes its shards before it tells of that."""
        has_own_names = any(names for _, _, names in self._named)
        return has_own_names and comes_true(self.call, lambda: not self.are_current())


def comes_true(call: NativeCall, is_true: Callable[[], bool]) -> bool:
    """True as soon as something is true of the indexes as they are now, or False after half a second."""
    for _ in range(_LOOKS):
        call.parts.metadata.forget()
        if is_true():
            return True
        time.sleep(_LOOK_SECONDS)
    return False


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
    body = json_text({"pit_id": [pit]})
    answer = call.parts.upstream.send(
        RawRequest("GET", _PIT_SEGMENTS, [*credentials_of(call.request), ("content-type", "application/json")], body)
    )
    text = answer.read()
    names = list(dict.fromkeys(re.findall(r"\S+", text.decode("utf-8", "replace"))))
    if answer.status != 200 or not names:
        raise NotServed
    return names
