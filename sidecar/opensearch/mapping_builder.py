"""The bodies that make an index and its embedded fields, filled in from the templates in `mappings/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from sidecar.opensearch.embedded_paths import ROOT, embedded_key, vector_path
from sidecar.opensearch.index_settings import IndexSettings

# Version of the object under `_meta.sidecar`; raised when an older sidecar could no longer read it.
FORMAT = 1
META_KEY = "sidecar"
DERIVED_SOURCE = "index.knn.derived_source.enabled"
DERIVED_SOURCE_SINCE = (3, 0, 0)
"""The first version that has it on by default."""


def build_index_body(
    settings: IndexSettings, dimensions: int, *, version: tuple[int, int, int] | None = None
) -> dict[str, Any]:
    """The body of `PUT /{index}` for a cluster of that version: settings, dynamic template, and what to remember of it.

    The template raises two limits: nested paths from 50 to 200, one for each embedded field, and fields from
    1,000 to 2,000, since each embedded field takes five. A user's own fields so keep about the default room.
    """
    body = _template("index.json")
    body["settings"]["number_of_shards"] = settings.number_of_shards
    body["settings"]["number_of_replicas"] = settings.number_of_replicas
    if version is not None and version >= DERIVED_SOURCE_SINCE:
        # Derived source answers with the vectors of another document where one has 150 nested entries or more (k-NN
        # 3.5.0), and whatever rewrites documents in the cluster would store them. Stored vectors take more disk.
        body["settings"][DERIVED_SOURCE] = False
    body["mappings"]["_meta"] = {
        META_KEY: {"format": FORMAT, "settings": settings.to_wire(), "dimensions": dimensions, "fields": {}}
    }
    return body


def build_embedded_field(settings: IndexSettings, dimensions: int) -> dict[str, Any]:
    """The mapping of one field's embeddings: a nested path with an entry for each chunk.

    `start` and `end` are kept as doc values only; `hash` lies in `_source` only, in the first chunk.
    """
    body = _template("embedded_field.json")
    ann = settings.ann_parameters
    vector = body["properties"]["vector"]
    vector["dimension"] = dimensions
    vector["method"] = {
        "name": ann.name,
        "engine": ann.engine,
        # Inside the method, where every supported version has it.
        "space_type": ann.space_type,
        "parameters": {"m": ann.m, "ef_construction": ann.ef_construction},
    }
    return body


def build_embedded_fields(fields: Iterable[str], settings: IndexSettings, dimensions: int) -> dict[str, Any]:
    """The `properties` that add embeddings of these fields to an index."""
    added = {embedded_key(field): build_embedded_field(settings, dimensions) for field in fields}
    return {ROOT: {"properties": added}}


def declare_fields(
    meta: Mapping[str, Any], fields: Iterable[str], settings: IndexSettings, dimensions: int
) -> dict[str, Any]:
    """An index's whole `_meta` with these embedded fields declared; everything that is in it stays.

    Declared as on the native face: vector path -> source field, model, kind and dimension.
    """
    own = meta.get(META_KEY, {})
    declared = dict(own.get("fields", {}))
    for field in fields:
        declaration = {"source": field, "model": settings.model, "kind": "text", "dimension": dimensions}
        declared.setdefault(vector_path(field), declaration)
    return {**meta, META_KEY: {**own, "fields": declared}}


def _template(name: str) -> dict[str, Any]:
    """A fresh copy of a template, free to be filled in."""
    template: dict[str, Any] = orjson.loads(_template_text(name))
    return template


@lru_cache
def _template_text(name: str) -> bytes:
    return files("sidecar.mappings").joinpath(name).read_bytes()
