"""`_simulate` of ingest pipelines, which runs inside the cluster."""

from __future__ import annotations

from sidecar.native.bodies import is_analysed, read_body
from sidecar.native.declarations.own_processors import take_ingest_processors
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.forwarding import forward, send
from sidecar.native.json.spans import NotJson, Object, read
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.opensearch.passthrough import RawRequest


def simulate_named_pipeline(call: NativeCall) -> NativeAnswer:
    """`/_ingest/pipeline/{id}/_simulate`. Raises: Refused where the pipeline embeds, which the cluster leaves out."""
    if call.parts.pipelines.ingest(call.variables["id"], call.request):
        raise _refused(f"pipeline [{call.variables['id']}]")
    return forward(call.parts, call.request)


def simulate_pipeline(call: NativeCall) -> NativeAnswer:
    """`/_ingest/pipeline/_simulate`, with the pipeline in the body. Raises: Refused as `simulate_named_pipeline`."""
    request = call.request
    if not is_analysed(request):
        return forward(call.parts, request)
    body = read_body(request)
    if _embeds(body.text, call):
        raise _refused("the pipeline")
    return send(call.parts, RawRequest(request.method, request.target, request.headers, body.raw))


def _embeds(body: bytes, call: NativeCall) -> bool:
    try:
        node = read(body)
    except NotJson:
        return False
    pipeline = node.get("pipeline") if isinstance(node, Object) else None
    if not isinstance(pipeline, Object):
        return False
    return take_ingest_processors(pipeline, body, call.parts.embedder) is not None


def _refused(name: str) -> Refused:
    return Refused(
        ILLEGAL_ARGUMENT,
        f"{name} can't be simulated: the cluster runs a simulation, and the sidecar embeds before documents reach the "
        "cluster; write a document to a scratch index by this pipeline, and read it back",
    )
