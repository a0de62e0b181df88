"""The cluster's hits as the API answers them: fields, id, highlights, score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE, content_path, end_path, start_path
from sidecar.opensearch.stored_chunks import chunk_content
from sidecar.opensearch.wildcards import matches_wildcard
from sidecar.searching.request import SearchRequest
from sidecar.searching.tensor import inner_hits_name


@dataclass(frozen=True, slots=True)
class BestChunk:
    """The chunk of a hit that scores highest, of all fields."""

    field: str
    chunk: Mapping[str, Any]
    score: float


def source_filter(request: SearchRequest, looked_at: Sequence[str]) -> dict[str, Any] | bool:
    """The request's ``_source``: what the answer shows, and the fields that are looked at here, never vectors."""
    options = request.options
    hidden = [pattern for pattern in options.source_excludes if not any(_matches(f, [pattern]) for f in looked_at)]
    excludes = [EXCLUDED_FROM_SOURCE, *hidden]
    shown = request.attributes_to_retrieve
    if shown is None:
        if not options.source_includes:
            return {"excludes": excludes}
        shown = options.source_includes
    includes = sorted({*shown, *looked_at})
    return {"includes": includes, "excludes": excludes} if includes else False


def showing_too(request: SearchRequest, fields: Sequence[str]) -> SearchRequest:
    """The request, its hits with these fields of the document whatever else they show."""
    options, shown = request.options, request.attributes_to_retrieve
    # Patterns with a dot are of what lies inside objects, where no field is.
    excludes = [name for name in options.source_excludes if "." in name or not _has_match(fields, name)]
    includes = (*options.source_includes, *fields) if options.source_includes else ()
    return replace(
        request,
        attributes_to_retrieve=None if shown is None else tuple(dict.fromkeys((*shown, *fields))),
        options=replace(options, source_includes=includes, source_excludes=tuple(excludes)),
    )


def without_hidden(hit: Mapping[str, Any], fields: Sequence[str], request: SearchRequest) -> dict[str, Any]:
    """The hit of a request that was `showing_too` these fields, as the request itself shows it."""
    own = {field: hit[field] for field in fields if field in hit}
    shown = _shown(own, request)
    return {key: value for key, value in hit.items() if key not in own or key in shown}


def tensor_hit(hit: Mapping[str, Any], fields: Sequence[str], request: SearchRequest) -> dict[str, Any]:
    """One hit of a tensor search; ``fields`` are those of the query, in its order."""
    source = hit.get("_source", {})
    wire = _shown(source, request) | {"_id": hit["_id"]}
    if request.show_highlights:
        wire["_highlights"] = _highlights(hit, source, fields)
    wire["_score"] = hit["_score"]
    return wire | _asked_for(hit, request)


def lexical_hit(hit: Mapping[str, Any], request: SearchRequest) -> dict[str, Any]:
    """One hit of a lexical search, which has no highlights but those that are asked for by themselves."""
    wire = _shown(hit.get("_source", {}), request) | {"_id": hit["_id"], "_score": hit["_score"]}
    if request.options.lexical_highlights is not None:
        wire["_highlights"] = hit.get("highlight", {})
    elif request.show_highlights:
        wire["_highlights"] = []
    return wire | _asked_for(hit, request)


def _asked_for(hit: Mapping[str, Any], request: SearchRequest) -> dict[str, Any]:
    """How the score came about, and the values that the hit was sorted by, where they were asked for."""
    parts: dict[str, Any] = {}
    if request.options.explain:
        parts["_explanation"] = hit["_explanation"]
    if request.options.sort:
        # The last is the tie-break's.
        parts["_sort"] = hit["sort"][:-1]
    return parts


def _shown(source: Mapping[str, Any], request: SearchRequest) -> dict[str, Any]:
    options = request.options
    shown = dict(source)
    if request.attributes_to_retrieve is not None:
        shown = {field: source[field] for field in request.attributes_to_retrieve if field in source}
    elif options.source_includes:
        shown = {field: value for field, value in source.items() if _matches(field, options.source_includes)}
    for pattern in options.source_excludes:
        shown = _without(shown, pattern)
    return shown


def _without(source: Mapping[str, Any], pattern: str) -> dict[str, Any]:
    """The fields that the pattern does not name, which may be one of a field's own fields."""
    first, _, rest = pattern.partition(".")
    kept = {}
    for field, value in source.items():
        if not _matches(field, [first]):
            kept[field] = value
        elif rest and isinstance(value, dict):
            kept[field] = _without(value, rest)
        elif rest:
            kept[field] = value
    return kept


def _has_match(fields: Sequence[str], pattern: str) -> bool:
    return any(_matches(field, [pattern]) for field in fields)


def _matches(field: str, patterns: Sequence[str]) -> bool:
    """Whether a field of the document is what one of the patterns begins with, where ``*`` is any letters."""
    return any(matches_wildcard(pattern.partition(".")[0], field) for pattern in patterns)


def _highlights(hit: Mapping[str, Any], source: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    """The best chunk over all fields, as the user wrote it."""
    best = best_chunk(hit, fields, lambda _, chunk: float(chunk["_score"]))
    if best is None:
        return {}
    content = _content(best.field, source.get(best.field), best.chunk.get("fields", {}))
    return {} if content is None else {best.field: content}


def best_chunk(
    hit: Mapping[str, Any], fields: Sequence[str], score: Callable[[str, Mapping[str, Any]], float]
) -> BestChunk | None:
    """The chunk of the hit that has the highest score; ``fields`` are those of the query, in its order."""
    best: BestChunk | None = None
    inner_hits = hit.get("inner_hits", {})
    for number, field in enumerate(fields):
        for chunk in inner_hits.get(inner_hits_name(number), {}).get("hits", {}).get("hits", []):
            own = score(field, chunk)
            if best is None or own > best.score:
                best = BestChunk(field, chunk, own)
    return best


def _content(field: str, stored: object, chunk: Mapping[str, Any]) -> str | None:
    """What was embedded, from the chunk's doc values."""
    own, start, end = (chunk.get(path(field)) for path in (content_path, start_path, end_path))
    span = (int(start[0]), int(end[0])) if start and end else None
    return chunk_content(stored, span, str(own[0]) if own else None)
