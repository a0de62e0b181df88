"""Requests that name the indexes that they were made for in place of aliases, which may move meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from urllib.parse import quote

from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.request import NativeRequest
from sidecar.native.targets import expression_parts

_LONGEST = 1000
"""Characters of names in a path. OpenSearch takes request lines of 4,096 bytes."""
_NOT_A_NAME = ("<", "-")


def concrete_expression(expression: str, facts: Collection[IndexFacts]) -> str | None:
    """The expression with the indexes of ``facts`` in place of their aliases; None where it is to stay as it is.

    Aliases with a filter or a routing stay, for only what names them heeds these; so do patterns and data streams.
    """
    parts = expression_parts(expression)
    if any(part.startswith(_NOT_A_NAME) or not {"*", ":"}.isdisjoint(part) for part in parts):
        return None
    names = dict.fromkeys(name for part in parts for name in _names(part, facts))
    concrete = ",".join(names)
    return concrete if concrete != ",".join(dict.fromkeys(parts)) and len(concrete) <= _LONGEST else None


def own_names(expression: str, facts: Iterable[IndexFacts]) -> frozenset[str]:
    """What the expression calls by its own name."""
    return frozenset(expression_parts(expression)) & {one.name for one in facts}


def concrete_index(target: str, facts: IndexFacts) -> str | None:
    """The index that a write to a target goes to, where the target is an alias of an index with rules of its own."""
    return facts.name if facts.has_rules and _is_plain_alias(target, facts) else None


def sent_to(request: NativeRequest, expression: str) -> NativeRequest:
    """The request with another index, or several, as its path's first segment."""
    path, mark, parameters = request.target.partition("?")
    _, slash, rest = path.lstrip("/").partition("/")
    return replace(request, target=f"/{quote(expression, safe=',')}{slash}{rest}{mark}{parameters}")


def _names(part: str, facts: Collection[IndexFacts]) -> list[str]:
    if any(one.name == part for one in facts):
        return [part]
    held = [one for one in facts if part in one.aliases]
    is_plain = held and all(_is_plain_alias(part, one) for one in held)
    return [one.name for one in held] if is_plain else [part]


def _is_plain_alias(name: str, facts: IndexFacts) -> bool:
    return name in facts.aliases and name not in facts.narrowed and facts.data_stream is None
