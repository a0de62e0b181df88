"""Indexes and templates that declare embedded fields."""

from __future__ import annotations

from sidecar.native.declaring.bodies import DeclaringBody, object_at
from sidecar.native.declaring.knn_setting import add_knn_setting
from sidecar.native.declaring.translation import creation_edits
from sidecar.native.json.spans import NotJson
from sidecar.native.parts import NativeCall, cluster_version
from sidecar.native.request import NativeAnswer

_MAPPINGS = "mappings"


def create_index(call: NativeCall) -> NativeAnswer:
    """`PUT /{index}`. Raises: Refused for a declaration that can't be served; no index is made then."""
    return _create(call)


def put_template(call: NativeCall) -> NativeAnswer:
    """`PUT /_index_template/{name}` and `PUT /_component_template/{name}`, whose mapping lies in ``template``.

    Raises: as `create_index`.
    """
    return _create(call, "template")


def put_legacy_template(call: NativeCall) -> NativeAnswer:
    """`PUT /_template/{name}`, which has its mapping where an index has it. Raises: as `create_index`."""
    return _create(call)


def _create(call: NativeCall, *keys: str) -> NativeAnswer:
    body = DeclaringBody(call)
    # `_index_template/_simulate` and its like show what the cluster does with a body as it is.
    is_endpoint = call.variables.get("name", "").startswith("_")
    holder = object_at(body.root, *keys)
    mapping = object_at(holder, _MAPPINGS)
    if mapping is None or holder is None or is_endpoint:
        return body.send_as_it_came()
    try:
        edits, additions, needs_knn = creation_edits(mapping, body.text, call.parts.embedder)
    except NotJson:
        return body.send_as_it_came()
    if needs_knn:
        add_knn_setting(holder, body.text, additions, cluster_version(call.parts))
    return body.send_with([*edits, *additions.edits()])
