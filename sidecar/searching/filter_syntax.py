"""Reading a filter string: Lucene's classic query syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from luqum import tree
from luqum.exceptions import ParseSyntaxError
from luqum.parser import parser

from sidecar.errors import InvalidArgument
from sidecar.searching.filter_errors import filter_error
from sidecar.searching.filter_tokens import FilterLexer
from sidecar.searching.filter_tree import (
    Between,
    Combination,
    Everything,
    Fuzzy,
    Node,
    Nothing,
    Present,
    Regexp,
    Value,
    Wildcard,
)
from sidecar.searching.filter_work import check_work

MAX_LENGTH = 200_000
"""Characters in a filter: room for thousands of ids."""
MAX_DEPTH = 50
"""Parentheses, fields and signs within one another."""
MAX_TOLD = 40
"""Characters of a filter that an error repeats."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WILDCARD = re.compile(r"(?:\\.|[^\\*?])*[*?]", re.DOTALL)
_NEGATIONS = (tree.Not, tree.Prohibit)


@dataclass(frozen=True, slots=True)
class _Clause:
    """One operand of a chain: whether AND stands before it, and what is joined there."""

    after_and: bool
    follows_directly: bool  # no operator stands before it
    item: tree.Item


def parse_filter(text: str) -> Node:
    """Read a filter string.

    AND, OR and NOT mean what they mean to Lucene, which has no precedence among them: AND makes both its
    neighbours required, and what is not required is optional beside it: ``a OR b AND c`` is ``b AND c``.
    Raises: InvalidArgument for a syntax error, a regular expression that Lucene can't read, patterns that are too much
    work, and for more than ``MAX_LENGTH`` characters or ``MAX_DEPTH`` levels; it names the column, counted from 1.
    """
    if len(text) > MAX_LENGTH:
        raise filter_error(MAX_LENGTH, f"the filter has {len(text):,} characters; the limit is {MAX_LENGTH:,}")
    if not text.strip():
        return Nothing()
    lexer = FilterLexer(text)
    try:
        # Not luqum.thread.parse: it would use luqum's lexer. The parser itself keeps its state on its stack.
        item = parser.parse(text, lexer=lexer)
    except ParseSyntaxError as error:
        raise _syntax_error(text, lexer) from error
    node = _read(item, None, 0)
    check_work(node)
    return node


def _syntax_error(text: str, lexer: FilterLexer) -> InvalidArgument:
    if lexer.last is not None:
        return filter_error(
            lexer.last.lexpos,
            f"unexpected {lexer.last.text[:MAX_TOLD]!r}; quote the value or put a backslash before the sign if it "
            "belongs to the value",
        )
    if lexer.unclosed:
        opened = lexer.unclosed[-1]
        trouble = f"{opened.text!r} of column {opened.lexpos + 1} is not closed"
    else:
        trouble = "a value is missing"
    return filter_error(len(text), f"the filter ends too early: {trouble}")


def _read(item: tree.Item, field: str | None, depth: int) -> Node:
    """The meaning of a part of luqum's tree, where values without a field belong to ``field``."""
    if depth > MAX_DEPTH:
        raise filter_error(item.pos, f"more than {MAX_DEPTH} levels within one another; leave out parentheses")
    if isinstance(item, tree.BaseGroup | tree.Boost):
        return _read(item.expr, field, depth + 1)
    if isinstance(item, tree.SearchField):
        return _read_field(item, depth + 1)
    if isinstance(item, tree.BaseOperation | tree.UnaryOperator):
        return _combine(list(_chain(item)), field, depth + 1)
    if field is None:
        return Everything() if _is_star(item) else Nothing()
    return _read_value(item, field)


def _read_field(item: tree.SearchField, depth: int) -> Node:
    value = item.expr.expr if isinstance(item.expr, tree.Boost) else item.expr
    if isinstance(value, tree.SearchField):
        raise filter_error(
            value.pos,
            f"a colon within the value of {item.name[:MAX_TOLD]!r}; quote the value or put a backslash before the "
            "colon",
        )
    if item.name == "*" and _is_star(value):
        return Everything()
    if item.name == "_exists_" and isinstance(value, tree.Word | tree.Phrase):
        return Present(_literal(value))
    return _read(item.expr, _unescape(item.name), depth)


def _chain(item: tree.Item) -> Iterator[_Clause]:
    """The operands of operators side by side, in the order in which they were written.

    luqum nests them by a precedence that Lucene has not, as deep as they are many.
    """
    waiting = [_Clause(False, False, item)]
    while waiting:
        clause = waiting.pop()
        if not isinstance(clause.item, tree.BaseOperation):
            yield clause
            continue
        after_and = isinstance(clause.item, tree.AndOperation)
        directly = isinstance(clause.item, tree.UnknownOperation)
        first, *others = clause.item.operands
        waiting += [_Clause(after_and, directly, other) for other in reversed(others)]
        waiting.append(_Clause(clause.after_and, clause.follows_directly, first))


def _combine(clauses: Sequence[_Clause], field: str | None, depth: int) -> Node:
    """Join the operands as Lucene's classic query parser does, with OR as the default operator."""
    every: list[Node] = []
    some: list[Node] = []
    no: list[Node] = []
    last = no  # where the clause before went
    for item, after_and in _join_words(clauses):
        if after_and and last is some:
            every.append(some.pop())
        sign = item if isinstance(item, tree.UnaryOperator) else None
        last = no if isinstance(sign, _NEGATIONS) else every if sign is not None or after_and else some
        if isinstance(item, tuple):
            last.append(Value(field, item) if field is not None else Nothing())
        else:
            last.append(_read(sign.a if sign is not None else item, field, depth))
    if every:
        some = []  # beside a required clause the others change scores only
    if not no and len(every) + len(some) == 1:
        return (every + some)[0]
    return Combination(tuple(every), tuple(some), tuple(no))


def _join_words(clauses: Sequence[_Clause]) -> Iterator[tuple[tree.Item | tuple[str, ...], bool]]:
    """The operands, plain words that follow each other directly as one tuple; each with whether AND leads."""
    words: list[str] = []
    words_after_and = False
    for clause in clauses:
        is_word = isinstance(clause.item, tree.Word) and not _WILDCARD.match(clause.item.value)
        if words and not (is_word and clause.follows_directly):
            yield tuple(words), words_after_and
            words = []
        if is_word:
            words_after_and = words_after_and if words else clause.after_and
            words.append(_literal(clause.item))
        else:
            yield clause.item, clause.after_and
    if words:
        yield tuple(words), words_after_and


def _read_value(item: tree.Item, field: str) -> Node:
    """The meaning of one value of a field."""
    if isinstance(item, tree.Fuzzy) and not _WILDCARD.match(item.term.value):
        return Fuzzy(field, _literal(item.term), _edits(item), item.pos)
    if isinstance(item, tree.BaseApprox):  # nearness of words means nothing to a whole value
        item = item.term
    if isinstance(item, tree.Range | tree.OpenRange):
        return _read_range(item, field)
    if isinstance(item, tree.Regex):
        return Regexp(field, item.value[1:-1], item.pos)
    if isinstance(item, tree.Word) and _WILDCARD.match(item.value):
        return Present(field) if item.value == "*" else Wildcard(field, _pattern(item.value), item.pos)
    return Value(field, (_literal(item),))


def _read_range(item: tree.Item, field: str) -> Node:
    if isinstance(item, tree.OpenRange):
        low, high = (item.a, None) if isinstance(item, tree.From) else (None, item.a)
        include_low = include_high = item.include
    else:
        low, high, include_low, include_high = item.low, item.high, item.include_low, item.include_high
    first, last = (None if _is_star(end) else _literal(end) for end in (low, high))
    if first is None and last is None:
        return Present(field)
    return Between(field, first, last, include_low, include_high)


def _edits(item: tree.Fuzzy) -> int | None:
    """How many letters may differ: Lucene reads a degree below 1 as the share of letters that stay."""
    if str(item).rstrip().endswith("~"):  # luqum writes 0.5 where no degree is given
        return None
    edits = item.degree if item.degree >= 1 or not item.degree else (1 - item.degree) * len(_literal(item.term))
    return int(min(edits, 2))


def _is_star(item: tree.Item | None) -> bool:
    return item is None or (isinstance(item, tree.Word) and item.value == "*")


def _literal(item: tree.Term) -> str:
    return _unescape(item.value[1:-1] if isinstance(item, tree.Phrase) else item.value)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _pattern(text: str) -> str:
    """The word as OpenSearch's `wildcard` query reads it: a backslash only where it takes away a meaning."""
    return _ESCAPED.sub(lambda found: found[0] if found[1] in "*?\\" else found[1], text)
