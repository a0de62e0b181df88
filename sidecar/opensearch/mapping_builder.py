"""The bodies that make an index and its embedded fields, filled in from the templates in `mappings/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from sidecar.opensearch.embedded_paths import ROOT, embedded_key, vector_path
from sidecar.opensearch.index_settings import IndexSettings

FORMATS = (1, 2)
"""Versions of the object under `_meta.sidecar` that this sidecar reads; it writes the first that says all."""
META_KEY = "sidecar"
NESTED_LIMIT = "index.mapping.nested_fields.limit"
FIELD_LIMIT = "index.mapping.total_fields.limit"
PLACES_OF_EMBEDDED_STRING = 8
"""What an embedded string counts for among an index's fields: itself, its keyword, and six of its embeddings. One place
more is the object that holds the embeddings of all fields."""
DERIVED_SOURCE = "index.knn.derived_source.enabled"
DERIVED_SOURCE_SINCE = (3, 0, 0)
"""The first version that has it on by default."""

COMBINATION = "multimodal_combination"
CUSTOM_VECTOR = "custom_vector"
"""What is embedded of a field, where it is neither a text nor an image."""


@dataclass(frozen=True)
class EmbeddedField:
    """What `_meta` says of one embedded field, as on the native face.

    `kind` is what is embedded: text, image, multimodal_combination or custom_vector.
    """

    source: str
    model: str
    kind: str
    dimensions: int

    def to_meta(self) -> dict[str, Any]:
        """The object that is kept under the vector's path."""
        return {"source": self.source, "model": self.model, "kind": self.kind, "dimension": self.dimensions}


def build_index_body(
    settings: IndexSettings,
    dimensions: int,
    *,
    field_dimensions: Mapping[str, int] | None = None,
    version: tuple[int, int, int] | None = None,
    max_fields: int | None = None,
) -> dict[str, Any]:
    """The body of `PUT /{index}` for a cluster of that version: settings, dynamic template, and what to remember of it.

    `field_dimensions` has the fields with a model of their own. The template raises two limits: nested paths from 50
    to 200, one for each embedded field, and fields from 1,000 to 2,200, since each embedded field takes six. A user's
    own fields so keep the default room. With `max_fields` the index has room for so many embedded strings in place of
    that.
    """
    body = _template("index.json")
    if max_fields is not None:
        body["settings"][NESTED_LIMIT] = max_fields
        body["settings"][FIELD_LIMIT] = max_fields * PLACES_OF_EMBEDDED_STRING + 1
    body["settings"]["number_of_shards"] = settings.number_of_shards
    body["settings"]["number_of_replicas"] = settings.number_of_replicas
    if version is not None and version >= DERIVED_SOURCE_SINCE:
        # Derived source answers with the vectors of another document where one has 150 nested entries or more (k-NN
        # 3.5.0), and whatever rewrites documents in the cluster would store them. Stored vectors take more disk.
        body["settings"][DERIVED_SOURCE] = False
    own = {"format": _format_of(settings), "settings": settings.to_wire(), "dimensions": dimensions, "fields": {}}
    if field_dimensions:
        own["field_dimensions"] = dict(field_dimensions)
    body["mappings"]["_meta"] = {META_KEY: own}
    return body


def _format_of(settings: IndexSettings) -> int:
    """2 where a sidecar that knows only format 1 would write wrong vectors into the index."""
    is_new = settings.field_models or settings.treat_urls_and_pointers_as_images
    return 2 if is_new or settings.ann_parameters.data_type != "float" else 1


def build_embedded_field(settings: IndexSettings, dimensions: int) -> dict[str, Any]:
    """The mapping of one field's embeddings: a nested path with an entry for each chunk.

    `start`, `end` and `content` are kept as doc values only; `hash` lies in `_source` only, in the first chunk.
    """
    body = _template("embedded_field.json")
    ann = settings.ann_parameters
    vector = body["properties"]["vector"]
    vector["dimension"] = dimensions
    if ann.data_type != "float":
        vector["data_type"] = ann.data_type
    parameters: dict[str, Any] = {"m": ann.m, "ef_construction": ann.ef_construction}
    if ann.encoder is not None:
        parameters["encoder"] = dict(ann.encoder)
    vector["method"] = {
        "name": ann.name,
        "engine": ann.engine,
        # Inside the method, where every supported version has it.
        "space_type": ann.space_type,
        "parameters": parameters,
    }
    return body


def build_embedded_fields(fields: Mapping[str, int], settings: IndexSettings) -> dict[str, Any]:
    """The `properties` that add embeddings of these fields, each with its dimensions, to an index."""
    added = {embedded_key(field): build_embedded_field(settings, dimensions) for field, dimensions in fields.items()}
    return {ROOT: {"properties": added}}


def declare_fields(meta: Mapping[str, Any], fields: Iterable[EmbeddedField]) -> dict[str, Any]:
    """An index's whole `_meta` with these embedded fields declared; everything that is in it stays.

    Declared as on the native face, under the path of the field's vector.
    """
    own = meta.get(META_KEY, {})
    declared = dict(own.get("fields", {}))
    for field in fields:
        declared.setdefault(vector_path(field.source), field.to_meta())
    return {**meta, META_KEY: {**own, "fields": declared}}


def _template(name: str) -> dict[str, Any]:
    """A fresh copy of a template, free to be filled in."""
    template: dict[str, Any] = orjson.loads(_template_text(name))
    return template


@lru_cache
def _template_text(name: str) -> bytes:
    return files("sidecar.mappings").joinpath(name).read_bytes()
