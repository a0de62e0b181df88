"""What an answer to a search holds beside its hits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.searching.facets import read_facets, without_facets
from sidecar.searching.search_plan import Answer, AskedSearch


def other_parts(asked: AskedSearch, answer: Answer) -> dict[str, Any]:
    """``aggregations``, ``facets`` and ``searchAfter``, each where it was asked for."""
    options = asked.request.options
    found: Mapping[str, Any] = answer.get("aggregations", {})
    parts: dict[str, Any] = {}
    if options.aggregations is not None:
        parts["aggregations"] = without_facets(found)
    if options.facets:
        parts["facets"] = read_facets(found, options.facets)
    if options.point_in_time is not None:
        hits = answer["hits"]["hits"]
        # Without hits the order has come to its end.
        parts["searchAfter"] = hits[-1]["sort"] if hits else None
    return parts
