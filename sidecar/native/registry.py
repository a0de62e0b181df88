"""The routes of the native face: one line for each resource."""

from __future__ import annotations

from sidecar.native.declaring.creation import create_index, put_legacy_template, put_template
from sidecar.native.declaring.update import put_mapping
from sidecar.native.pipelines.handlers import (
    get_pipelines,
    put_ingest_pipeline,
    put_search_pipeline,
)
from sidecar.native.pipelines.simulating import simulate_pipeline
from sidecar.native.queries.multi_search import multi_search
from sidecar.native.queries.search import asynchronous_search, query_only, search
from sidecar.native.queries.templates import multi_search_template, search_template
from sidecar.native.routes import Route, route
from sidecar.native.writes.bulk import bulk
from sidecar.native.writes.inside import reindex, update_by_query
from sidecar.native.writes.single import delete_document, update_document, write_document

ROUTES: tuple[Route, ...] = (
    route("PUT", "/{index}", create_index),
    route("PUT POST", "/{index}/_mapping", put_mapping),
    route("PUT POST", "/{index}/_mappings", put_mapping),
    route("PUT POST", "/_index_template/{name}", put_template),
    route("PUT POST", "/_component_template/{name}", put_template),
    route("PUT POST", "/_template/{name}", put_legacy_template),
    route("GET POST", "/_ingest/pipeline/_simulate", simulate_pipeline),
    route("GET POST", "/_ingest/pipeline/{id}/_simulate", simulate_pipeline),
    route("PUT", "/_ingest/pipeline/{id}", put_ingest_pipeline),
    route("PUT", "/_search/pipeline/{id}", put_search_pipeline),
    route("GET", "/_ingest/pipeline", get_pipelines),
    route("GET", "/_ingest/pipeline/{id}", get_pipelines),
    route("GET", "/_search/pipeline", get_pipelines),
    route("GET", "/_search/pipeline/{id}", get_pipelines),
    route("GET POST", "/_search", search),
    route("GET POST", "/{index}/_search", search),
    route("GET POST", "/_msearch", multi_search),
    route("GET POST", "/{index}/_msearch", multi_search),
    route("GET POST", "/_search/template", search_template),
    route("GET POST", "/{index}/_search/template", search_template),
    route("GET POST", "/_msearch/template", multi_search_template),
    route("GET POST", "/{index}/_msearch/template", multi_search_template),
    route("GET POST", "/_count", query_only),
    route("GET POST", "/{index}/_count", query_only),
    route("GET POST", "/_validate/query", query_only),
    route("GET POST", "/{index}/_validate/query", query_only),
    route("GET POST", "/{index}/_explain/{id}", query_only),
    route("POST", "/{index}/_delete_by_query", query_only),
    route("POST", "/_plugins/_asynchronous_search", asynchronous_search),
    route("PUT POST", "/_bulk", bulk),
    route("PUT POST", "/{index}/_bulk", bulk),
    route("POST", "/{index}/_doc", write_document),
    route("PUT POST", "/{index}/_doc/{id}", write_document),
    route("DELETE", "/{index}/_doc/{id}", delete_document),
    route("PUT POST", "/{index}/_create/{id}", write_document),
    route("POST", "/{index}/_update/{id}", update_document),
    route("POST", "/{index}/_update_by_query", update_by_query),
    route("POST", "/_reindex", reindex),
)
