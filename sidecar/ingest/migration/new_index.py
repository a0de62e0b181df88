"""The body of the new index: the old one's mapping and settings, with other vectors."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sidecar.ingest.migration.plan import Plan
from sidecar.opensearch.client import ClusterFacts
from sidecar.opensearch.embedded_paths import ROOT, vector_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.mapping_builder import (
    FIELD_LIMIT,
    META_KEY,
    NESTED_LIMIT,
    EmbeddedField,
    build_embedded_fields,
    build_index_body,
    declare_fields,
)

_REPLICAS = "index.number_of_replicas"
_REFRESH = "index.refresh_interval"
_PIPELINES = ("index.default_pipeline", "index.final_pipeline")
_NO_PIPELINE = "_none"
NO_PIPELINES = dict.fromkeys(_PIPELINES, _NO_PIPELINE)
"""Documents that are copied have been through the pipelines already."""
_WHILE_COPYING = {
    _REPLICAS: 0,
    _REFRESH: "-1",
    # How long a deletion is remembered: a late request of a run that was killed must not bring a document back.
    "index.gc_deletes": "1h",
}
_NOT_CARRIED = (
    "index.uuid",
    "index.creation_date",
    "index.provided_name",
    "index.version.",
    "index.resize.",
    "index.history.",
    "index.routing.allocation.initial_recovery.",
    "index.blocks.",
    "index.number_of_shards",
    "index.number_of_routing_shards",
    "index.store.snapshot.",
    "index.remote_store.",
    "index.verified_before_close",
)
"""Starts of the names of settings that tell what an index is, was, or is being used for."""


def build_new_index(plan: Plan, facts: ClusterFacts) -> dict[str, Any]:
    """The body of `PUT /{index}`: without copies of its shards, and without pipelines, until it takes over."""
    body = build_index_body(
        plan.settings, plan.dimensions.own, field_dimensions=plan.dimensions.of_fields, version=facts.version
    )
    own = {_full(key): value for key, value in body["settings"].items()}
    carried = {key: value for key, value in plan.old.settings.items() if not key.startswith(_NOT_CARRIED)}
    limits = {key: max(int(carried.get(key, 0)), int(own[key])) for key in (NESTED_LIMIT, FIELD_LIMIT)}
    settings = {**carried, **own, **limits, **NO_PIPELINES, **_WHILE_COPYING}
    return {"settings": settings, "mappings": _mapping(plan, body["mappings"])}


def final_settings(plan: Plan) -> dict[str, Any]:
    """What the new index's settings become before it takes over; None is the default."""
    old = plan.old.settings
    kept = {key: old.get(key) for key in (_REFRESH, "index.gc_deletes")}
    return {_REPLICAS: plan.settings.number_of_replicas, **kept}


def own_pipelines(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by which an index takes its pipelines up again."""
    return {key: settings.get(key, _NO_PIPELINE) for key in _PIPELINES}


def plain_properties(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a mapping but for our embeddings."""
    return {name: value for name, value in mapping.get("properties", {}).items() if name != ROOT}


def _mapping(plan: Plan, own: Mapping[str, Any]) -> dict[str, Any]:
    carried = copy.deepcopy(dict(plan.old.mapping))
    fields = list(dict.fromkeys((*plan.state.embedded_fields, *plan.changes.added)))
    root = dict(own["properties"][ROOT])
    root |= build_embedded_fields({field: plan.dimensions_of(field) for field in fields}, plan.settings)[ROOT]
    carried["properties"] = plain_properties(carried) | {ROOT: root}
    kept_meta = {key: value for key, value in carried.get("_meta", {}).items() if key != META_KEY}
    meta = {**kept_meta, **own["_meta"]}
    meta[META_KEY]["fields"] = _declared_by_others(plan.state)
    carried["_meta"] = declare_fields(meta, [_embedded_field(plan, field) for field in fields])
    return carried


def _declared_by_others(state: IndexState) -> dict[str, Any]:
    """What the native face has declared in the index beside our fields: it stays as it is."""
    ours = {vector_path(field) for field in state.embedded_fields}
    declared: Mapping[str, Any] = state.meta[META_KEY].get("fields", {})
    return {path: entry for path, entry in declared.items() if path not in ours and not path.startswith(f"{ROOT}.")}


def _embedded_field(plan: Plan, field: str) -> EmbeddedField:
    kind = plan.state.kind_of(field)
    if kind in ("text", "image"):
        kind = "image" if plan.settings.treat_urls_and_pointers_as_images else "text"
    return EmbeddedField(field, plan.settings.model_of(field).model, kind, plan.dimensions_of(field))


def _full(key: str) -> str:
    return key if key.startswith("index.") else f"index.{key}"
