"""The URL parameters of a search, by where they go when it becomes a multi-search.

Source: `RestSearchAction`, `RestMultiSearchAction` and `MultiSearchRequest` of OpenSearch 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from sidecar.native.request import NativeRequest
from sidecar.native.routes import path_segments

_HEADER: Final = ("preference", "request_cache", "allow_partial_search_results", "phase_took")
"""Those that the header of each line takes, and the URL of a multi-search does not."""
_LISTS: Final = ("stored_fields", "docvalue_fields", "stats")
_FLAGS: Final = ("version", "seq_no_primary_term", "track_scores", "verbose_pipeline", "explain")
_TEXTS: Final = ("from", "size", "timeout", "terminate_after", "search_pipeline")
_SOURCE: Final = ("_source", "_source_includes", "_source_excludes")
_OWN: Final = ("filter_path", "pretty", "format", "source", "source_content_type", "batched_reduce_size")
"""Those that the sidecar carries out itself, or that a multi-search has no use for."""
_REFUSED: Final = ("sort", "scroll", "q")
_NO: Final = "false"


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """``body`` has the keys that take the place of those in the request's body, ``header`` those of each line's header;
    ``target`` is what the multi-search has behind its path. ``refused`` are those that no hybrid search can have."""

    body: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    refused: tuple[str, ...] = ()
    search_type: str | None = None
    filter_path: str | None = None
    is_pretty: bool = False


def read_parameters(request: NativeRequest) -> SearchParameters:
    """The parameters of a search."""
    given = request.parameters
    passed = {
        name: value
        for name, value in given.items()
        if name not in {*_HEADER, *_LISTS, *_FLAGS, *_TEXTS, *_SOURCE, *_OWN, *_REFUSED, "track_total_hits"}
    }
    return SearchParameters(
        body=dict(_body(given)),
        header={name: given[name] or "true" for name in _HEADER if name in given},
        target=f"?{urlencode(passed, quote_via=quote)}" if passed else "",
        refused=tuple(name for name in _REFUSED if name in given),
        search_type=given.get("search_type"),
        filter_path=given.get("filter_path") or None,
        is_pretty=request.is_pretty,
    )


def multi_search_target(request: NativeRequest, parameters: SearchParameters) -> str:
    """Where the multi-search goes for a search: the same index, by the same bytes."""
    segments = path_segments(request.path) or []
    index = f"/{segments[0]}" if segments and not segments[0].startswith("_") else ""
    return f"{index}/_msearch{parameters.target}"


def _body(given: Mapping[str, str]) -> Mapping[str, Any]:
    body: dict[str, Any] = {name: given[name].split(",") for name in _LISTS if given.get(name)}
    body |= {name: given[name] != _NO for name in _FLAGS if name in given}
    body |= {name: given[name] for name in _TEXTS if name in given}
    if "track_total_hits" in given:
        wanted = given["track_total_hits"] or "true"
        body["track_total_hits"] = int(wanted) if wanted.isdecimal() and wanted.isascii() else wanted != _NO
    if any(name in given for name in _SOURCE):
        body["_source"] = _source(given)
    return body


def _source(given: Mapping[str, str]) -> Any:
    wanted = given.get("_source")
    includes = given.get("_source_includes")
    excludes = given.get("_source_excludes")
    if wanted in {"true", "false"} and includes is None and excludes is None:
        return wanted == "true"
    if wanted is not None and wanted not in {"true", "false"} and includes is None:
        includes = wanted
    return {
        name: names.split(",") for name, names in (("includes", includes), ("excludes", excludes)) if names is not None
    }
