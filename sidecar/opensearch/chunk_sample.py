"""A random sample of the chunks that an index has of an embedded field, with their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import content_path, end_path, nested_path, start_path, vector_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.stored_chunks import (
    CHUNK_COUNTS,
    Chunk,
    as_stored,
    chunk_content,
    count_chunks,
    readable_chunks,
    stored_chunks,
)

LARGEST_SHARE = 10
"""One document gives at most a tenth of the sample, so that a long one does not stand for the whole index."""
_PAGE_NUMBERS = 1_000_000
"""Numbers of vectors that are read in one request, unless one document has more: some 11 MB of JSON."""

_Place = tuple[str, str | None]
"""A document's id, and its routing where it has one."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """``size`` chunks at most of ``field``, which is embedded; the same ``seed`` gives the same documents while the
    index does not change. ``attribute`` is a field whose value is read with each."""

    field: str
    size: int
    seed: int = 0
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class SampledChunk:
    """One chunk: where it lies in its field, what was embedded (None where that is not told), and the attribute."""

    document_id: str
    routing: str | None
    start: int
    end: int
    content: str | None
    attribute: Any


@dataclass(frozen=True, slots=True)
class ChunkSample:
    """``vectors`` are as they are stored, float32 or int8, shape (chunks, dimensions), in the order of ``chunks``.

    Of ``documents`` that have chunks of the field ``sampled`` are in the sample. ``unreadable`` were left out, for the
    cluster gives back wrong vectors of them.
    """

    chunks: Sequence[SampledChunk]
    vectors: NDArray[Any]
    documents: int
    sampled: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class _Planned:
    """A document, how many chunks it has of the field, and how many of them are wanted."""

    place: _Place
    chunks: int
    wanted: int


def sample_chunks(cluster: Cluster, state: IndexState, request: SampleRequest) -> ChunkSample:
    """Documents at random, each with all of its chunks, up to ``LARGEST_SHARE``, until there are enough.

    Of a document with more, chunks from its beginning to its end are taken, evenly. Documents are those that a search
    finds. Raises: what `Cluster.search` raises.
    """
    documents, plan, unreadable = _plan(cluster, state, request)
    sampled: set[_Place] = set()
    chunks: list[SampledChunk] = []
    vectors: list[NDArray[Any]] = []
    for page in _pages(plan, _PAGE_NUMBERS // state.dimensions_of(request.field)):
        sources = _read(cluster, state, request, [planned.place for planned in page])
        for planned in page:
            # A document may have been deleted meanwhile, or its field changed.
            source = sources.get(planned.place, {})
            taken = _spread(stored_chunks(source, request.field), planned.wanted)
            if taken:
                sampled.add(planned.place)
                chunks += [_sampled(chunk, source, planned.place, request) for chunk in taken]
                vectors.append(as_stored([chunk["vector"] for chunk in taken]))
    stacked = np.concatenate(vectors) if vectors else np.zeros((0, state.dimensions_of(request.field)), np.float32)
    return ChunkSample(chunks, stacked, documents, len(sampled), unreadable)


def _plan(cluster: Cluster, state: IndexState, request: SampleRequest) -> tuple[int, list[_Planned], int]:
    """How many documents have the field, those to read, and how many of these can't be read."""
    query = {"nested": {"path": nested_path(request.field), "query": {"match_all": {}}}}
    chance = {"random_score": {"seed": request.seed, "field": "_seq_no"}, "boost_mode": "replace"}
    body = {
        "size": request.size,
        "query": {"function_score": {"query": query, **chance}},
        "_source": {"includes": [CHUNK_COUNTS]},
        "track_total_hits": True,
    }
    found = cluster.search(state.name, body)["hits"]
    most_readable = readable_chunks(state)
    most = -(-request.size // LARGEST_SHARE)
    plan: list[_Planned] = []
    unreadable, missing = 0, request.size
    for hit in found["hits"]:
        if missing <= 0:
            break
        if most_readable is not None and count_chunks(hit["_source"]) > most_readable:
            unreadable += 1
            continue
        count = len(stored_chunks(hit["_source"], request.field))
        wanted = min(count, most, missing)
        plan.append(_Planned(_place(hit), count, wanted))
        missing -= wanted
    return found["total"]["value"], plan, unreadable


def _pages(plan: Sequence[_Planned], page_chunks: int) -> Iterator[list[_Planned]]:
    page: list[_Planned] = []
    for planned in plan:
        if page and sum(other.chunks for other in page) + planned.chunks > page_chunks:
            yield page
            page = []
        page.append(planned)
    if page:
        yield page


def _read(
    cluster: Cluster, state: IndexState, request: SampleRequest, places: Sequence[_Place]
) -> dict[_Place, Mapping[str, Any]]:
    """The sources of these documents; by a search, which finds documents of any routing."""
    paths = [path(request.field) for path in (vector_path, start_path, end_path, content_path)]
    attribute = [] if request.attribute is None else [request.attribute]
    body = {
        "size": len(places),
        "query": {"ids": {"values": [document_id for document_id, _ in places]}},
        "_source": {"includes": [*paths, request.field, *attribute, *_parents(attribute)]},
        "track_total_hits": False,
    }
    return {_place(hit): hit["_source"] for hit in cluster.search(state.name, body)["hits"]["hits"]}


def _place(hit: Mapping[str, Any]) -> _Place:
    return hit["_id"], hit.get("_routing")


def _spread(chunks: Sequence[Chunk], count: int) -> Sequence[Chunk]:
    if len(chunks) <= count:
        return chunks
    return [chunks[number * len(chunks) // count] for number in range(count)]


def _sampled(chunk: Chunk, source: Mapping[str, Any], place: _Place, request: SampleRequest) -> SampledChunk:
    start, end = chunk["start"], chunk["end"]
    content = chunk_content(source.get(request.field), (start, end), chunk.get("content"))
    attribute = None if request.attribute is None else _value(source, request.attribute)
    return SampledChunk(place[0], place[1], start, end, content, attribute)


def _parents(names: Sequence[str]) -> list[str]:
    """The fields of which these may be sub-fields, as `title` of `title.keyword`."""
    return [name.rpartition(".")[0] for name in names if "." in name]


def _value(source: Mapping[str, Any], name: str) -> Any:
    """The value of a field by its dotted name; that of `title` for its sub-field `title.keyword`."""
    value: Any = source
    for part in name.split("."):
        if not isinstance(value, Mapping):
            break
        value = value.get(part)
    return value
