"""What the sidecar knows of an index, read from its mapping."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import NotASidecarIndex, OpenSearchError
from sidecar.opensearch.decoding import decode_object
from sidecar.opensearch.embedded_paths import ROOT, field_of_key, vector_path
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.mapping_builder import DERIVED_SOURCE_SINCE, FORMATS, META_KEY, EmbeddedField

_OPENSEARCH_BIT = 0x08000000


@dataclass(frozen=True)
class IndexState:
    """One index at one moment.

    `index` is its own name, `name` the one that calls are to use: its own too, so that an alias by which it was found
    may move meanwhile; but the alias where that has a filter or a routing, which only calls by its name heed.
    `dimensions` are those of the index's own model, `field_dimensions` those of fields that have another.
    `embedded_fields` are the fields that have a nested path for their chunks, sorted. `field_types` maps the
    dotted name of every field of the documents, sub-fields as `title.keyword` included and embeddings left
    out, to its type. `meta` is the mapping's whole `_meta`. `stores_vectors` is False where the cluster may put a
    document's vectors together anew when it is read (k-NN's derived source). `etag` changes with anything that
    the cluster says of the index; `uuid` when the index is made anew.
    """

    index: str
    name: str
    uuid: str
    settings: IndexSettings
    dimensions: int
    embedded_fields: tuple[str, ...]
    field_types: Mapping[str, str]
    meta: Mapping[str, Any]
    stores_vectors: bool
    etag: str
    field_dimensions: Mapping[str, int] = field(default_factory=dict)

    def dimensions_of(self, field: str) -> int:
        """The dimensions of the field's vectors, whether it has any yet or not."""
        return self.field_dimensions.get(field, self.dimensions)

    def kind_of(self, field: str) -> str:
        """What is embedded of the field, as it is declared: text, image, or a kind that `mapping_builder` names."""
        declared = self.meta[META_KEY].get("fields", {}).get(vector_path(field), {}).get("kind")
        return declared if isinstance(declared, str) else self.embedded_field(field).kind

    def embedded_field(self, field: str, kind: str | None = None) -> EmbeddedField:
        """What is to be declared of a field that is embedded; without a kind, the index's own: text or image."""
        own_kind = "image" if self.settings.treat_urls_and_pointers_as_images else "text"
        return EmbeddedField(field, self.settings.model_of(field).model, kind or own_kind, self.dimensions_of(field))


def document_fields(state: IndexState) -> list[str]:
    """The fields that documents have, sorted: without those that hold another's value a second time (`title.keyword`),
    and with objects that are embedded as a whole."""
    types = state.field_types
    own = (name for name in types if name.rpartition(".")[0] not in types)
    return sorted({*own, *state.embedded_fields})


def etag_of(answer: bytes) -> str:
    """A short name for one answer of `GET /{index}`."""
    return hashlib.blake2b(answer, digest_size=8).hexdigest()


def parse_index_state(name: str, answer: bytes) -> IndexState:
    """Read the answer of `GET /{index}`; `name` may be an alias of one index.

    Raises: NotASidecarIndex where the mapping has no settings of ours; OpenSearchError where a newer sidecar
    wrote them, or something spoilt them.
    """
    return index_state_of(name, decode_object(answer), etag=etag_of(answer))


def index_state_of(name: str, indexes: Mapping[str, Any], *, etag: str) -> IndexState:
    """As `parse_index_state`, of an answer that is decoded already; ``etag`` tells it from others."""
    if len(indexes) != 1:
        raise stands_for_several(name, indexes)
    ((index, facts),) = indexes.items()
    mapping = facts.get("mappings", {})
    meta = mapping.get("_meta", {})
    own = meta.get(META_KEY)
    if not isinstance(own, dict) or "settings" not in own:
        raise NotASidecarIndex(
            f"Index '{name}' was not made by this API, so that it has no model. "
            "Create an index with POST /indexes/{index}."
        )
    if own.get("format") not in FORMATS:
        raise OpenSearchError(
            f"Index '{name}' has format {own.get('format')!r}; this sidecar reads formats "
            f"{' and '.join(map(str, FORMATS))}. Use the sidecar version that made the index, or a later one."
        )
    properties = mapping.get("properties", {})
    try:
        return IndexState(
            index=index,
            name=name if narrows(facts.get("aliases", {}).get(name, {})) else index,
            uuid=facts["settings"]["index"]["uuid"],
            settings=IndexSettings.from_wire(own["settings"]),
            dimensions=int(own["dimensions"]),
            embedded_fields=tuple(sorted(_embedded_fields(properties))),
            field_types=dict(field_types(properties)),
            meta=meta,
            stores_vectors=stores_vectors(facts["settings"]["index"]),
            etag=etag,
            field_dimensions={field: int(number) for field, number in own.get("field_dimensions", {}).items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OpenSearchError(
            f"The settings in the mapping of index '{name}' (_meta.sidecar) are spoilt: {error!r}."
        ) from error


def stands_for_several(alias: str, indexes: Iterable[str]) -> NotASidecarIndex:
    """The alias is one of these indexes together; its one message."""
    names = sorted(indexes)
    return NotASidecarIndex(f"'{alias}' stands for {len(names)} indexes: {', '.join(names)}. Name one of them.")


def narrows(alias: Mapping[str, Any]) -> bool:
    """True for an alias that stands for a part of its index, or of its shards."""
    return any(key in alias for key in ("filter", "search_routing", "index_routing"))


def stores_vectors(settings: Mapping[str, Any]) -> bool:
    """False where the cluster may put a document's vectors together anew when it is read (k-NN's derived source).

    ``settings`` are what ``GET /{index}`` tells under ``settings.index``.
    """
    # The key has a dot, for `knn` has a value of its own.
    given = settings.get("knn.derived_source", {}).get("enabled")
    if given is not None:
        return str(given) == "false"
    return _made_by(settings) < DERIVED_SOURCE_SINCE


def _made_by(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """The version that made the index, as (2, 19, 0); where it is not told, one that has all that is new."""
    created = settings.get("version", {}).get("created")
    if created is None:
        return DERIVED_SOURCE_SINCE
    # 2.19.0 is 2190099, under the bit by which OpenSearch tells its versions from those of its ancestor.
    number = int(created) & ~_OPENSEARCH_BIT
    return number // 1_000_000, number // 10_000 % 100, number // 100 % 100


def _embedded_fields(properties: Mapping[str, Any]) -> Iterator[str]:
    for key, mapping in properties.get(ROOT, {}).get("properties", {}).items():
        if mapping.get("type") == "nested":
            yield field_of_key(key)


def field_types(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The dotted name and the type of every field of a mapping's ``properties``, embeddings left out."""
    for name, mapping in properties.items():
        if not prefix and name == ROOT:
            continue
        path = prefix + name
        if "type" in mapping:
            yield path, mapping["type"]
        yield from field_types(mapping.get("properties", {}), f"{path}.")
        yield from field_types(mapping.get("fields", {}), f"{path}.")
