"""Index expressions of requests: what they name, and how they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

INDEX_OPTIONS = ("ignore_unavailable", "allow_no_indices", "expand_wildcards")
"""Parameters that decide which indexes an expression stands for."""

Options = tuple[str | None, ...]


_BACKING_INDEX = ".ds-"
"""How the names of a data stream's indexes begin. Updates of its documents name them, for the stream takes none."""


def is_clusters_own(name: str) -> bool:
    """True for an index whose name begins with a dot, save those of data streams: what is in it is none of ours."""
    return name.startswith(".") and not name.startswith(_BACKING_INDEX)


def index_options(parameters: Mapping[str, str]) -> Options:
    """The parameters of `INDEX_OPTIONS`, None where one is not given."""
    return tuple(map(parameters.get, INDEX_OPTIONS))


def local_part(expression: str) -> str:
    """The expression without the indexes of remote clusters (``cluster:index``); empty where nothing is left.

    Date math (``<logs-{now/d{HH:mm}}>``) may have colons and commas of its own.
    """
    return ",".join(part for part in expression_parts(expression) if part.startswith("<") or ":" not in part)


def has_remote(expression: str) -> bool:
    """True where the expression names an index of a remote cluster, of which nothing can be known here."""
    return local_part(expression) != ",".join(expression_parts(expression))


def expression_parts(expression: str) -> list[str]:
    """The names and patterns of a list. A comma inside of date math is none between parts."""
    parts: list[str] = []
    depth = start = 0
    for place, character in enumerate(expression):
        depth += {"<": 1, "{": 1, "}": -1, ">": -1}.get(character, 0)
        if character == "," and depth <= 0:
            parts.append(expression[start:place])
            start = place + 1
    return [part for part in (*parts, expression[start:]) if part]


def is_one_name(expression: str) -> bool:
    """True for what writes may name: an index, an alias, a data stream, or date math for one; no list, no pattern."""
    if expression.startswith("<"):
        return True
    return bool(expression) and not any(character in expression for character in ",*:")


def index_target(expression: str, options: Options = (None, None, None)) -> str:
    """The request target that asks for all that the cluster knows of these indexes."""
    given = [(name, value) for name, value in zip(INDEX_OPTIONS, options, strict=True) if value is not None]
    # Unpaired surrogates become question marks, as by Java; no name has one.
    path = quote(expression or "_all", safe=",*", errors="replace")
    return f"/{path}{'?' if given else ''}{urlencode(given, errors='replace')}"
