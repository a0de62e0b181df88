"""Which requests change what the sidecar keeps of the cluster: indexes, aliases, templates, pipelines."""

from __future__ import annotations

from sidecar.native.request import NativeRequest
from sidecar.native.routes import path_segments

_CHANGING = frozenset({"PUT", "POST", "DELETE"})
# What these segments stand in changes documents, or nothing; anything else is taken for a change.
_HARMLESS = frozenset(
    {
        *("_bulk", "_doc", "_create", "_update", "_mget", "_delete_by_query", "_update_by_query", "_reindex"),
        *("_search", "_msearch", "_count", "_explain", "_validate", "_field_caps", "_search_shards", "_rank_eval"),
        *("_termvectors", "_mtermvectors", "_analyze", "_render", "_scripts", "_pit", "_eql", "_async_search"),
        *("_refresh", "_flush", "_forcemerge", "_cache", "_stats", "_segments", "_recovery", "_upgrade"),
        *("_cat", "_cluster", "_nodes", "_tasks", "_plugins", "_resolve", "_simulate", "_simulate_index"),
    }
)


def changes_metadata(request: NativeRequest) -> bool:
    """True for a request that, where it succeeds, leaves an index, alias, template or pipeline that differs."""
    if request.method not in _CHANGING:
        return False
    segments = path_segments(request.path) or ()
    # `_search/pipeline/{id}` is no search.
    return "pipeline" in segments[1:2] or _HARMLESS.isdisjoint(segments)
