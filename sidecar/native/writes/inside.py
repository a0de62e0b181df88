"""Writes that happen inside the cluster, `_reindex` and `_update_by_query`, where no model looks at documents."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.processors import IngestProcessor
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.forwarding import forward, send
from sidecar.native.json.spans import Array, Node, NotJson, Object, read_object, string_value
from sidecar.native.parts import NativeCall
from sidecar.native.queries.grammar import COPY, QUERY_ONLY
from sidecar.native.queries.search import rewrite_query_of
from sidecar.native.request import NativeAnswer
from sidecar.native.writes.recipes import Recipes
from sidecar.native.writes.warnings import with_script_warning
from sidecar.opensearch.passthrough import RawRequest


def reindex(call: NativeCall) -> NativeAnswer:
    """Answer `/_reindex`. Raises: Refused where the copies would lack a vector that their index declares."""
    request = call.request
    if not is_analysed(request):
        return forward(call.parts, request)
    body = read_body(request)
    root = read_object(body.text)
    source = None if root is None else root.get("source")
    if root is not None:
        _check_reindex(call, root, body.text)
    if not isinstance(source, Object) or source.get("remote") is not None:
        return send(call.parts, request.as_read(body.raw))
    return send(call.parts, _rewritten(call, body, COPY, _names(source.get("index"), body.text)))


def update_by_query(call: NativeCall) -> NativeAnswer:
    """Answer `/{index}/_update_by_query`. Raises: Refused where its pipeline would have to embed."""
    request = call.request
    _check_pipeline(call)
    if not is_analysed(request):
        return forward(call.parts, request)
    body = read_body(request)
    root = read_object(body.text)
    answer = send(call.parts, _rewritten(call, body, QUERY_ONLY, call.variables["index"]))
    if root is None or root.get("script") is None:
        return answer
    facts = call.parts.metadata.of(call.variables["index"], request) or ()
    return with_script_warning(answer, [one.vector for index in facts for one in index.declarations])


def _rewritten(call: NativeCall, body: Body, place: str, expression: str) -> RawRequest:
    """The request with its query by meaning, if it has one, as the cluster knows it."""
    text = rewrite_query_of(call, body.text, place, expression)
    return call.request.as_read(body.raw) if text is body.text else call.request.with_body(text)


def _check_pipeline(call: NativeCall) -> None:
    pipeline = call.request.parameters.get("pipeline")
    if pipeline is not None and Recipes(call).processors(None, pipeline):
        raise Refused(
            ILLEGAL_ARGUMENT,
            f"[_update_by_query] cannot run pipeline [{pipeline}], which embeds: documents do not pass the model; "
            "read and bulk-index through this port",
        )


def _check_reindex(call: NativeCall, root: Object, text: bytes) -> None:
    target = _string(root, text, "dest", "index")
    if target is None or target.startswith("."):
        return
    facts = call.parts.metadata.write_target(target, call.request)
    computed = _computed(call, facts, _string(root, text, "dest", "pipeline"))
    if computed and not _vectors_travel(call, root, text, computed):
        vectors = ", ".join(vector for vector, _ in computed)
        raise Refused(
            ILLEGAL_ARGUMENT,
            f"[_reindex] into [{target}] cannot compute [{vectors}]; read and bulk-index through this port",
        )


_Computed = Sequence[tuple[str, object]]
"""The vectors of an index, each with all that decides what it is: equal where the vectors are."""


def _computed(call: NativeCall, facts: IndexFacts | None, pipeline: str | None) -> _Computed:
    declared = () if facts is None else facts.declarations
    processors = Recipes(call).processors(facts, pipeline)
    return [
        *((one.vector, (one.sources, one.model, one.chunkings, one.chunk_text)) for one in declared),
        *((_name_of(processor), processor) for processor in processors),
    ]


def _name_of(processor: IngestProcessor) -> str:
    field_map = getattr(processor, "field_map", None)
    return getattr(processor, "embedding", "") if field_map is None else ", ".join(map(str, field_map.values()))


def _vectors_travel(call: NativeCall, root: Object, text: bytes, computed: _Computed) -> bool:
    source = root.get("source")
    if root.get("script") is not None or not isinstance(source, Object):
        return False
    if source.get("remote") is not None or source.get("_source") is not None:
        return False
    expression = _names(source.get("index"), text)
    indexes = call.parts.metadata.of(expression, call.request, parameters={}) if expression else None
    if not indexes:
        return False
    have = [_computed(call, index, None) for index in indexes]
    return all(one in of_index for of_index in have for one in computed)


def _names(node: Node | None, text: bytes) -> str:
    items = node.items if isinstance(node, Array) else [] if node is None else [node]
    with suppress(NotJson):
        return ",".join(str(item.value(text)) for item in items)
    # The cluster will say where.
    return ""


def _string(root: Object, text: bytes, *keys: str) -> str | None:
    node: Node | None = root
    for key in keys:
        node = node.get(key) if isinstance(node, Object) else None
    try:
        return string_value(node, text)
    except NotJson:
        return None
