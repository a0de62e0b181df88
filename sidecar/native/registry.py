"""The routes of the native face: one line for each resource."""

from __future__ import annotations

from sidecar.native.declaring.creation import create_index, put_legacy_template, put_template
from sidecar.native.declaring.update import put_mapping
from sidecar.native.routes import Route, route

ROUTES: tuple[Route, ...] = (
    route("PUT", "/{index}", create_index),
    route("PUT POST", "/{index}/_mapping", put_mapping),
    route("PUT POST", "/{index}/_mappings", put_mapping),
    route("PUT POST", "/_all/_mapping", put_mapping),
    route("PUT POST", "/_index_template/{name}", put_template),
    route("PUT POST", "/_component_template/{name}", put_template),
    route("PUT POST", "/_template/{name}", put_legacy_template),
)
