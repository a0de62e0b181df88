"""What is exported of each index behind a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.ingest.lacking import place_of
from sidecar.ingest.snapshot import EVERYTHING, Wanted
from sidecar.ingest.targets import pipeline_declarations
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.facts import index_facts
from sidecar.native.declarations.stored import is_of_other_face
from sidecar.native.targets import index_target
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE
from sidecar.opensearch.index_state import field_types, stores_vectors
from sidecar.opensearch.stored_chunks import MAX_READABLE_CHUNKS
from sidecar.opensearch.transport import Request
from sidecar.searching.filters import build_filter

_SHARDS = "number_of_shards"


@dataclass(frozen=True)
class ExportTarget:
    """A concrete index. ``embedded_fields`` are those of the ``/indexes`` API, ``computed`` the paths of other vectors
    that the sidecar computes: a vector, or the list that has one for each chunk. ``max_chunks`` is how many chunks a
    document may have for its vectors to be believed; None for any number."""

    name: str
    shards: int
    wanted: Wanted
    properties: Mapping[str, Any] = field(default_factory=dict)
    embedded_fields: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()
    max_chunks: int | None = None


def read_export_targets(cluster: Cluster, options: ExportOptions) -> list[ExportTarget]:
    """The concrete indexes behind the name. An alias's own filter and routing hold.

    Raises: IndexNotFound; InvalidArgument for a bad filter, and for an index that keeps no sources.
    """
    answer = cluster.ask("read_index", Request("GET", index_target(options.index)), options.index)
    if not answer:
        raise InvalidArgument(f"no index has a name like '{options.index}'")
    return [_target(cluster, name, told, options) for name, told in answer.items()]


def _target(cluster: Cluster, name: str, told: Mapping[str, Any], options: ExportOptions) -> ExportTarget:
    facts = index_facts(name, told)
    mapping, settings = told.get("mappings") or {}, told["settings"]["index"]
    properties = mapping.get("properties", {})
    if (mapping.get("_source") or {}).get("enabled", True) is False:
        raise InvalidArgument(
            f"index '{name}' does not keep its documents (_source is off): there is nothing to export"
        )
    computed = _computed(cluster, facts)
    is_derived = str(settings.get("knn")) == "true" and not stores_vectors(settings)
    excluded = _excluded(computed) if is_derived and not options.with_vectors else ()
    alias = (told.get("aliases") or {}).get(options.index, {})
    return ExportTarget(
        name=name,
        shards=int(settings[_SHARDS]),
        wanted=Wanted(
            _query(options, alias, dict(field_types(properties))),
            # True gives a document's own bytes; what the cluster filters it writes anew.
            {"excludes": list(excluded)} if excluded else True,
            alias.get("search_routing"),
        ),
        properties=properties,
        embedded_fields=() if facts.state is None else facts.state.embedded_fields,
        computed=computed,
        max_chunks=MAX_READABLE_CHUNKS if is_derived else None,
    )


def _computed(cluster: Cluster, facts: IndexFacts) -> frozenset[str]:
    declared = (*facts.declarations, *pipeline_declarations(cluster, facts))
    return frozenset(place_of(one) for one in declared if not is_of_other_face(one.vector))


def _excluded(computed: frozenset[str]) -> Sequence[str]:
    """Patterns of vectors that the cluster would put together only for them to be left out."""
    return (EXCLUDED_FROM_SOURCE, *sorted(computed))


def _query(options: ExportOptions, alias: Mapping[str, Any], types: Mapping[str, str]) -> Mapping[str, Any]:
    clauses = [
        build_filter(options.filter, types) if options.filter is not None else None,
        options.query,
        alias.get("filter"),
    ]
    given = [clause for clause in clauses if clause is not None]
    return {"bool": {"filter": given}} if given else EVERYTHING
