"""Which indexes a backfill works on, and the vectors that they declare: in their mappings, and by their pipelines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.native.declarations.declaration import Declaration, Entry, Existing, IndexFacts, Kind, Source
from sidecar.native.declarations.description import split_description
from sidecar.native.declarations.facts import index_facts
from sidecar.native.declarations.own_processors import kept_ingest_processors
from sidecar.native.declarations.processors import KEY_IN_LISTS, IngestProcessor, TextChunking, TextEmbedding
from sidecar.native.declarations.stored import is_of_other_face
from sidecar.native.targets import index_target
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.transport import Request


@dataclass(frozen=True)
class BackfillTarget:
    """A concrete index: all that it declares, and which of that is ``chosen`` to be computed."""

    name: str
    uuid: str
    mapping: Mapping[str, Any]
    declared: tuple[Declaration, ...]
    chosen: tuple[Declaration, ...]


def read_targets(cluster: Cluster, index: str, vectors: Collection[str]) -> list[BackfillTarget]:
    """The concrete indexes behind the name that declare any of the vectors; any vector, where none are given.

    Vectors of the other face are left out: their documents have them from the start.
    Raises: InvalidArgument where no index declares one of them; IndexNotFound.
    """
    answer = cluster.ask("read_index", Request("GET", index_target(index)), index)
    targets = []
    known: set[str] = set()
    for name, told in answer.items():
        facts = index_facts(name, told)
        declared = (*facts.declarations, *pipeline_declarations(cluster, facts))
        own = [one for one in declared if not is_of_other_face(one.vector)]
        known |= {one.vector for one in own}
        chosen = tuple(one for one in own if not vectors or one.vector in vectors)
        if chosen:
            uuid = told["settings"]["index"]["uuid"]
            targets.append(BackfillTarget(name, uuid, told.get("mappings", {}), declared, chosen))
    missing = [vector for vector in vectors if vector not in known]
    if missing or not targets:
        wanted = f"field '{missing[0]}'" if missing else "embedded field"
        hint = f"; declared are: {', '.join(sorted(known))}" if known else ""
        raise InvalidArgument(f"'{index}' declares no {wanted}{hint}. Declare it with --source and --model.")
    return targets


def pipeline_declarations(cluster: Cluster, facts: IndexFacts) -> Iterator[Declaration]:
    """The vectors that the index's own pipelines compute, save those that its mapping declares."""
    processors = [
        processor
        for pipeline in (facts.default_pipeline, facts.final_pipeline)
        if pipeline is not None
        for processor in _processors(cluster, pipeline)
    ]
    declared = {one.vector for one in facts.declarations}
    chunked: dict[str, str] = {}
    for processor in processors:
        if isinstance(processor, TextChunking):
            chunked |= {made: source for source, made in _pairs(processor.field_map)}
            continue
        for sources, vector in _embedded(processor, chunked):
            found = _declaration(processor.model, sources, vector, facts)
            if found is not None and found.vector not in declared:
                yield found


def _processors(cluster: Cluster, name: str) -> tuple[IngestProcessor, ...]:
    request = Request("GET", f"/_ingest/pipeline/{quote(name, safe='')}")
    try:
        pipeline = cluster.ask("read_pipeline", request).get(name, {})
    except OpenSearchError as error:
        if error.upstream_status != 404:
            raise
        return ()  # its absence fails writes, which is for the cluster to tell
    split = split_description(pipeline.get("description") or "")
    return () if split is None else kept_ingest_processors(split[1])


def _embedded(processor: IngestProcessor, chunked: Mapping[str, str]) -> Iterator[tuple[tuple[Source, ...], str]]:
    """The sources of each vector, and its path. The source of a list of chunks is what was chunked."""
    if isinstance(processor, TextEmbedding):
        for source, vector in _pairs(processor.field_map):
            yield (Source(chunked.get(source, source)),), vector
    elif not isinstance(processor, TextChunking):
        given = ((processor.text_field, Kind.TEXT), (processor.image_field, Kind.IMAGE))
        yield tuple(Source(field, kind) for field, kind in given if field is not None), processor.embedding


def _pairs(field_map: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """From where to where a field map leads, by full paths: what an object's fields lead to lies in that object."""
    for key, value in field_map.items():
        if isinstance(value, dict):
            yield from _pairs(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            beside = f"{key.rpartition('.')[0]}." if "." in key and "." not in value else ""
            yield f"{prefix}{key}", f"{prefix}{beside}{value}"


def _declaration(model: str, sources: tuple[Source, ...], vector: str, facts: IndexFacts) -> Declaration | None:
    """None where the mapping has no such vector: then nothing could be searched."""
    field = facts.vector_fields.get(vector) or facts.vector_fields.get(f"{vector}.{KEY_IN_LISTS}")
    if field is None:
        return None
    return Declaration(
        vector=field.path,
        sources=sources,
        model=model,
        dimensions=field.dimensions,
        existing=Existing.REPLACE,
        entry=Entry.VECTOR if field.nested is None else Entry.CHUNKS,
        nested=field.nested,
    )
