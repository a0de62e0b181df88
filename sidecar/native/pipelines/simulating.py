"""`_simulate` of ingest pipelines: the documents are embedded here, and the cluster does the rest."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from sidecar.native.bodies import is_analysed, read_body
from sidecar.native.declarations.own_processors import kept_ingest_processors, take_ingest_processors
from sidecar.native.declarations.processors import IngestProcessor
from sidecar.native.forwarding import forward, send
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Array, NotJson, Object, read_object
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer
from sidecar.native.writes.document import Document
from sidecar.native.writes.fitness import may_be_stored
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.recipes import Recipes


def simulate_pipeline(call: NativeCall) -> NativeAnswer:
    """`/_ingest/pipeline/_simulate`, with the pipeline in the body; and that of a stored one, by its ``id``.

    Raises: Refused, InvalidArgument for a document that can't be embedded, and for settings as the plugin.
    """
    name = call.variables.get("id")
    processors = () if name is None else call.parts.pipelines.ingest(name, call.request)
    if not is_analysed(call.request) or (name is not None and not processors):
        return forward(call.parts, call.request)
    body = read_body(call.request)
    root = _readable(body.text)
    edits: list[Edit] = []
    pipeline = None if root is None or name is not None else root.get("pipeline")
    if isinstance(pipeline, Object):
        try:
            taken = take_ingest_processors(pipeline, body.text, call.parts.embedder)
        except NotJson:
            taken = None
        if taken is not None:
            processors, edits = kept_ingest_processors(taken.kept), taken.edits
    if root is None or not processors:
        return send(call.parts, call.request.as_read(body.raw))
    edits += _embedded(call, processors, root, body.text)
    return send(call.parts, call.request.with_body(apply(body.text, edits)))


def _readable(text: bytes) -> Object | None:
    """The object of a body; None of one that the cluster refuses as soon as it reads it."""
    root = read_object(text)
    return root if root is not None and may_be_stored(root, text) else None


def _embedded(call: NativeCall, processors: Sequence[IngestProcessor], root: Object, data: bytes) -> list[Edit]:
    """The edits that put vectors into the documents of a simulation."""
    steps = Recipes(call).steps_of(processors)
    inputs = RequestInputs(call.parts.embedder.document_parts())
    documents = list(_documents(root, data))
    for document in documents:
        for step in steps:
            step.apply(document, inputs)
    inputs.embed()
    return [edit for document in documents for edit in document.edits()]


def _documents(root: Object, data: bytes) -> Iterator[Document]:
    listed = root.get("docs")
    for item in listed.items if isinstance(listed, Array) else ():
        source = item.get("_source") if isinstance(item, Object) else None
        if isinstance(source, Object):
            yield Document(data, source, uuid.uuid4().hex)
