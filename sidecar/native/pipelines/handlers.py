"""What clients ask of `/_ingest/pipeline` and `/_search/pipeline`."""

from __future__ import annotations

import zlib
from dataclasses import replace
from urllib.parse import unquote_plus

from sidecar.native.bodies import is_analysed, read_body
from sidecar.native.declarations.own_processors import take_ingest_processors, take_search_processors
from sidecar.native.forwarding import forward, send
from sidecar.native.json.filter_path import FilterPath
from sidecar.native.json.spans import NotJson, read
from sidecar.native.json.writing import as_value, write
from sidecar.native.parts import NativeCall
from sidecar.native.pipelines.text import Take, put_back, without_own
from sidecar.native.request import NativeAnswer
from sidecar.opensearch.passthrough import RawRequest

_FILTER = "filter_path"


def put_ingest_pipeline(call: NativeCall) -> NativeAnswer:
    """`PUT /_ingest/pipeline/{id}`: the embedding processors stay with the sidecar, the others go to the cluster."""
    return _put(call, take_ingest_processors)


def put_search_pipeline(call: NativeCall) -> NativeAnswer:
    """`PUT /_search/pipeline/{id}`: as `put_ingest_pipeline`, of those for neural and hybrid queries."""
    return _put(call, take_search_processors)


def get_pipelines(call: NativeCall) -> NativeAnswer:
    """`GET` of either, of one, several or all: each as it was put."""
    request = call.request
    raw = RawRequest("GET", request.target, request.headers)
    if _FILTER in request.parameters:
        # The description is needed, whatever the client wants to see.
        raw = replace(raw, target=_without_parameter(request.target, _FILTER))
    answer = call.parts.upstream.send(raw)
    body = answer.read()
    text = _decoded(body, answer.header("content-encoding"))
    restored = _restored(text, call) if text is not None and answer.status == 200 else None
    if restored is None:
        if raw.target != request.target:
            return send(call.parts, RawRequest("GET", request.target, request.headers))
        return NativeAnswer(answer.status, answer.headers, [body], answer.reason)
    headers = [header for header in answer.headers if header[0].lower() not in {"content-length", "content-encoding"}]
    return NativeAnswer(200, [*headers, ("content-length", str(len(restored)))], [restored], answer.reason)


def _put(call: NativeCall, take: Take) -> NativeAnswer:
    request = call.request
    if not is_analysed(request):
        return forward(call.parts, request)
    body = read_body(request)
    changed = without_own(body.text, take, call.parts.embedder)
    if changed is None:
        return send(call.parts, RawRequest("PUT", request.target, request.headers, body.raw))
    return send(call.parts, request.with_body(changed))


def _restored(text: bytes, call: NativeCall) -> bytes | None:
    """The answer with the pipelines as they were put; None where none of them has kept processors."""
    try:
        pipelines = as_value(read(text), text)
    except NotJson:
        return None
    if not isinstance(pipelines, dict):
        return None
    changed = {name for name, pipeline in pipelines.items() if put_back(pipeline)}
    if not changed:
        return None
    wanted = call.request.parameters.get(_FILTER)
    pretty = call.request.parameters.get("pretty")
    left = pipelines if wanted is None else FilterPath.parse(wanted).apply(pipelines)
    return write(left, pretty=pretty not in {None, "false"})


def _decoded(body: bytes, encoding: str | None) -> bytes | None:
    if encoding is None:
        return body
    return zlib.decompress(body, 31) if encoding == "gzip" else None


def _without_parameter(target: str, name: str) -> str:
    path, _, query = target.partition("?")
    left = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != name]
    return f"{path}?{'&'.join(left)}" if left else path
