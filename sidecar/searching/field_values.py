"""Which values the documents of an index have in a field, for those who write a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.facets import facet_aggregations, read_facets

LONGEST_CONTAINED = 100
"""Characters that values may be narrowed by: the regular expression made of them is looked for in all values."""
# Those that mean something to Lucene's RegExp, with all its operators.
_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^-')


@dataclass(frozen=True, slots=True)
class ValuesAsked:
    """The field, how many values at most, and what the values contain, in any case of letters."""

    field: str
    size: int
    contains: str = ""


def find_values(cluster: Cluster, state: IndexState, asked: ValuesAsked) -> dict[str, Any]:
    """The values of a field of strings or booleans, the most frequent first, or the range of one of numbers or dates:
    as a facet over all documents. What numbers contain is not asked for.

    Raises: InvalidArgument for a field that no document has, or whose values can't be counted.
    """
    if asked.field not in state.field_types:
        raise InvalidArgument(
            f"No document of index {state.index!r} has a field {asked.field!r}. "
            "GET /indexes/{index}/fields has those there are."
        )
    facets = {asked.field: asked.size}
    aggregations = facet_aggregations(facets, state.field_types)
    for aggregation in aggregations.values():
        if asked.contains and "terms" in aggregation and state.field_types[asked.field] != "boolean":
            aggregation["terms"]["include"] = containing(asked.contains)
    answer = cluster.search(state.name, {"size": 0, "track_total_hits": False, "aggs": aggregations})
    found: dict[str, Any] = read_facets(answer["aggregations"], facets)[asked.field]
    return found


def containing(text: str) -> str:
    """Lucene's regular expression for all that contains the text, in any case of letters; those that become two in the
    other case (ß) only as they are."""
    return f".*{''.join(map(_in_any_case, text))}.*"


def _in_any_case(character: str) -> str:
    cases = sorted({character, character.lower(), character.upper()})
    escaped = [_escaped(case) for case in cases if len(case) == 1]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _escaped(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character
