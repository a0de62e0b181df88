"""What clients ask of `/_ingest/pipeline` and `/_search/pipeline`."""

from __future__ import annotations

import zlib

from sidecar.native.bodies import is_analysed, read_body
from sidecar.native.declarations.own_processors import take_ingest_processors, take_search_processors
from sidecar.native.forwarding import forward, send
from sidecar.native.json.filter_path import FilterPath
from sidecar.native.json.spans import NotJson, read
from sidecar.native.json.writing import as_value, write
from sidecar.native.parts import NativeCall
from sidecar.native.pipelines.text import Take, put_back, without_own
from sidecar.native.request import NativeAnswer, NativeRequest
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
    # The description is needed, whatever the client wants to see.
    whole = request.without_parameters({_FILTER}) if _FILTER in request.parameters else request
    answer = call.parts.upstream.send(_bare(whole))
    body = answer.read()
    text = _decoded(body, answer.header("content-encoding"))
    restored = _restored(text, call) if text is not None and answer.status == 200 else None
    if restored is None:
        if whole is not request:
            return send(call.parts, _bare(request))
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
        return send(call.parts, request.as_read(body.raw))
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
    left = pipelines if wanted is None else FilterPath.parse(wanted).apply(pipelines)
    return write(left, pretty=call.request.is_pretty)


def _decoded(body: bytes, encoding: str | None) -> bytes | None:
    if encoding is None:
        return body
    return zlib.decompress(body, 31) if encoding == "gzip" else None


def _bare(request: NativeRequest) -> RawRequest:
    """The request without a body, which has no meaning here; it may be sent twice."""
    return RawRequest(request.method, request.target, request.headers, caller=request.caller)
