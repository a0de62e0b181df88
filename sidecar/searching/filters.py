"""Filter strings as OpenSearch queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.searching import filter_values
from sidecar.searching.filter_syntax import parse_filter
from sidecar.searching.filter_tree import (
    Between,
    Combination,
    Everything,
    Fuzzy,
    Leaf,
    Node,
    Nothing,
    Present,
    Regexp,
    Value,
    Wildcard,
)
from sidecar.searching.filter_values import MATCH_NONE, Query

FieldTypes = Mapping[str, str]
"""Each field's OpenSearch type ("text", "long", …), by dotted name; of a field that has sub-fields only theirs."""

MAX_CONDITIONS = 1_000
"""Conditions in one filter. OpenSearch takes 1,024 in one query (``indices.query.bool.max_clause_count``)."""

_ID = "_id"
_WHOLE_VALUE = ".keyword"


def build_filter(text: str, field_types: FieldTypes) -> Query:
    """The OpenSearch query that matches what a filter string asks for; made for a bool query's ``filter``.

    Strings are compared whole and by case, any element of a list will do. A field that is not in
    ``field_types``, a value that the field's type can't hold, and a value without a field match no document,
    nor does the empty string. Strings of more than 8,191 characters are found by no filter but ``field:*``.
    The cluster refuses (400, query_shard_exception) only a regular expression or wildcard that has too many states.
    Raises: InvalidArgument as `parse_filter`, and for more than ``MAX_CONDITIONS`` conditions (many values of one
    field joined by OR count as one).
    """
    query = _translate(parse_filter(text), field_types)
    count = sum(1 for _ in _conditions(query))
    if count > MAX_CONDITIONS:
        raise InvalidArgument(
            f"filter: {count:,} conditions; the limit is {MAX_CONDITIONS:,}. Values of one field may be "
            "any number when they are joined by OR alone, as in field:(a OR b OR c)"
        )
    return query


def _translate(node: Node, types: FieldTypes) -> Query:
    if isinstance(node, Everything):
        return {"match_all": {}}
    if isinstance(node, Nothing):
        return MATCH_NONE
    if isinstance(node, Combination):
        return _translate_combination(node, types)
    return _translate_leaf(node, types)


def _translate_leaf(node: Leaf, types: FieldTypes) -> Query:
    if node.field == _ID:
        return _translate_id(node)
    field_type = types.get(node.field)
    if field_type is None:
        has_parts = isinstance(node, Present) and any(name.startswith(node.field + ".") for name in types)
        return {"exists": {"field": node.field}} if has_parts else MATCH_NONE
    if isinstance(node, Present):
        return _translate_present(node.field, field_type)
    if field_type in ("text", "keyword"):
        return _translate_string(node, node.field + _WHOLE_VALUE if field_type == "text" else node.field)
    return _translate_scalar(node, field_type) if filter_values.is_scalar(field_type) else MATCH_NONE


def _translate_combination(node: Combination, types: FieldTypes) -> Query:
    parts: dict[str, Any] = {}
    if node.every:
        parts["filter"] = [_translate(part, types) for part in node.every]
    if node.no:
        parts["must_not"] = _merge([_translate(part, types) for part in node.no])
    if node.some:
        some = _merge([_translate(part, types) for part in node.some])
        if len(some) == 1 and not parts:
            return some[0]
        parts |= {"should": some, "minimum_should_match": 1}
    return {"bool": parts}


def _translate_present(field: str, field_type: str) -> Query:
    exists: Query = {"exists": {"field": field}}
    if field_type != "text":
        return exists
    # Words tell of a text too long for the sub-field; the sub-field tells of a text without words.
    return {"bool": {"should": [exists, {"exists": {"field": field + _WHOLE_VALUE}}], "minimum_should_match": 1}}


def _translate_id(node: Leaf) -> Query:
    if isinstance(node, Present):
        return {"match_all": {}}
    # OpenSearch finds ids by their whole only, and refuses an empty one.
    value = " ".join(node.words) if isinstance(node, Value) else ""
    return {"ids": {"values": [value]}} if value else MATCH_NONE


def _translate_string(node: Leaf, path: str) -> Query:
    match node:
        case Value(words=words):
            return {"term": {path: " ".join(words)}}
        case Wildcard(pattern=pattern):
            return {"wildcard": {path: {"value": pattern}}}
        case Regexp(pattern=pattern):
            return {"regexp": {path: {"value": pattern}}}
        case Fuzzy(text=text, edits=edits):
            # Without the rewrite, only the 50 nearest values count.
            fuzziness = "AUTO" if edits is None else str(edits)
            return {"fuzzy": {path: {"value": text, "fuzziness": fuzziness, "rewrite": "constant_score"}}}
        case Between(low=low, high=high, include_low=include_low, include_high=include_high):
            ends = {"gte" if include_low else "gt": low, "lte" if include_high else "lt": high}
            return {"range": {path: {end: value for end, value in ends.items() if value is not None}}}
    return MATCH_NONE


def _translate_scalar(node: Leaf, field_type: str) -> Query:
    if isinstance(node, Value):  # no number, date or boolean has a space in it: side by side they are choices
        choices = _merge([filter_values.equals(node.field, field_type, word) for word in node.words])
        return choices[0] if len(choices) == 1 else {"bool": {"should": choices, "minimum_should_match": 1}}
    if isinstance(node, Between):
        low = None if node.low is None else (node.low, node.include_low)
        high = None if node.high is None else (node.high, node.include_high)
        return filter_values.between(node.field, field_type, low, high)
    return MATCH_NONE


def _merge(choices: Sequence[Query]) -> list[Query]:
    """The same choices, the values of one field as one condition; those that match nothing are left out."""
    values: dict[str, list[Any]] = {}
    ids: list[str] = []
    others: list[Query] = []
    for choice in choices:
        if "term" in choice:
            ((path, value),) = choice["term"].items()
            values.setdefault(path, []).append(value)
        elif "ids" in choice:
            ids += choice["ids"]["values"]
        elif choice != MATCH_NONE:
            others.append(choice)
    merged: list[Query] = [
        {"term": {path: found[0]}} if len(found) == 1 else {"terms": {path: found}} for path, found in values.items()
    ]
    if ids:
        merged.append({"ids": {"values": ids}})
    return [*merged, *others] or [MATCH_NONE]


def _conditions(query: Query) -> Iterator[Query]:
    """The queries within the query that are not themselves made of queries."""
    if "bool" not in query:
        yield query
        return
    for part in ("filter", "should", "must_not"):
        for inner in query["bool"].get(part, ()):
            yield from _conditions(inner)
