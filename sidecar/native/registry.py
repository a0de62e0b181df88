"""The routes of the native face: one line for each resource."""

from __future__ import annotations

from sidecar.native.pipelines.handlers import (
    get_pipelines,
    put_ingest_pipeline,
    put_search_pipeline,
)
from sidecar.native.pipelines.simulating import simulate_named_pipeline, simulate_pipeline
from sidecar.native.routes import Route, route

ROUTES: tuple[Route, ...] = (
    route("GET POST", "/_ingest/pipeline/_simulate", simulate_pipeline),
    route("GET POST", "/_ingest/pipeline/{id}/_simulate", simulate_named_pipeline),
    route("PUT", "/_ingest/pipeline/{id}", put_ingest_pipeline),
    route("PUT", "/_search/pipeline/{id}", put_search_pipeline),
    route("GET", "/_ingest/pipeline", get_pipelines),
    route("GET", "/_ingest/pipeline/{id}", get_pipelines),
    route("GET", "/_search/pipeline", get_pipelines),
    route("GET", "/_search/pipeline/{id}", get_pipelines),
)
