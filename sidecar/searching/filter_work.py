"""How much work a filter's patterns make the cluster do, before it does any.

Lucene makes an automaton of each pattern. It stops at 10,000 states of the finished one, but what it makes that from
it writes out first, without a limit: ``(a?){5000}``, or a fuzzy value of 100,000 characters, takes all memory of a
small node. A unit of work is one step of that, 4 µs on the machine where it was measured (OpenSearch 3.5).
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.searching.filter_errors import filter_error
from sidecar.searching.filter_regexps import regexp_work
from sidecar.searching.filter_tree import Combination, Fuzzy, Node, Regexp, Wildcard

MAX_WORK = 50_000
"""Units of work for the patterns of one filter together: 0.2 s."""

Pattern = Fuzzy | Regexp | Wildcard

_OF_ANY_PATTERN = 250
_OF_WILDCARD_CHARACTER = 3
_OF_FUZZY_CHARACTER = 100


def check_work(node: Node) -> None:
    """Raises: InvalidArgument for a regular expression that Lucene can't read, and where the patterns together are more
    than ``MAX_WORK``; it names the column of the pattern with which they are."""
    total = 0
    for pattern in patterns(node):
        total += _OF_ANY_PATTERN + _work(pattern)
        if total > MAX_WORK:
            raise filter_error(
                pattern.position,
                "with this pattern the filter's regular expressions, wildcards and fuzzy values are too much work for "
                "the cluster; use fewer or shorter ones, and repeat less in them",
            )


def patterns(node: Node) -> Iterator[Pattern]:
    """The patterns within a filter, in its order."""
    if isinstance(node, Pattern):
        yield node
    elif isinstance(node, Combination):
        parts = [pattern for part in (*node.every, *node.some, *node.no) for pattern in patterns(part)]
        yield from sorted(parts, key=lambda pattern: pattern.position)


def _work(pattern: Pattern) -> int:
    match pattern:
        case Regexp():
            return regexp_work(pattern.pattern, pattern.position)
        case Wildcard():
            return _OF_WILDCARD_CHARACTER * len(pattern.pattern)
    return _OF_FUZZY_CHARACTER * len(pattern.text)
