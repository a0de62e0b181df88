"""Lexical search: the words of a query in the words of the text fields."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from sidecar.errors import InvalidArgument

MAX_CLAUSES = 900
"""Words and phrases times fields in one query. OpenSearch takes 1,024 clauses; the rest is for the filter."""

_QUOTE = re.compile(r'(?<!\\)"')
# Finds no fewer than the standard analyser, for which a character of a script without spaces is a word.
_WORD = re.compile(r"[^\W\u0e00-\U0010ffff]+|[^\s\x00-\x7f]")


def build_lexical_query(q: str, text_fields: Sequence[str], filter_query: dict[str, Any] | None) -> dict[str, Any]:
    """The BM25 query for what a client typed, over the given text fields; their scores add up.

    Documents that have any of the words match. A phrase in quotes is required, in whichever field; the other
    words then only add to the score. The filter only narrows: without a match no document is found. Words
    beyond ``MAX_CLAUSES`` divided by the number of fields are left out.
    Raises: InvalidArgument where the quoted phrases alone are more than that.
    """
    phrases, words = split_quotes(q)
    room = MAX_CLAUSES - len(phrases) * len(text_fields)
    if room < 0:
        raise InvalidArgument(
            f"q: {len(phrases):,} quoted phrases in {len(text_fields):,} fields; the limit is "
            f"{MAX_CLAUSES:,} in all. Quote fewer phrases, or name fewer fields in searchableAttributes"
        )
    words = _first_words(words, room // len(text_fields) if text_fields else 0)
    required = [_in_any_field("match_phrase", phrase, text_fields) for phrase in phrases]
    optional = [_in_any_field("match", words, text_fields)] if words else []
    if not text_fields or not (required or optional):
        return {"match_none": {}}
    parts: dict[str, Any] = {"must": required or optional}
    if required and optional:
        parts["should"] = optional
    if filter_query is not None:
        parts["filter"] = [filter_query]
    return {"bool": parts}


def split_quotes(q: str) -> tuple[list[str], str]:
    """The phrases in quotes, and the rest of the query.

    A phrase opens at the start or after white space and closes at the end or before white space. Where a
    quote breaks that rule or has no partner, no quote counts and everything is the rest. A quote after a
    backslash never counts.
    """
    quotes = [match.start() for match in _QUOTE.finditer(q)]
    pairs = list(zip(quotes[::2], quotes[1::2], strict=False))
    if len(quotes) % 2 or not all(_stands_free(q, opening, closing) for opening, closing in pairs):
        return [], _unescape(q)
    phrases = (q[opening + 1 : closing].strip() for opening, closing in pairs)
    starts = [0, *(closing + 1 for _, closing in pairs)]
    ends = [*(opening for opening, _ in pairs), len(q)]
    rest = " ".join(q[start:end].strip() for start, end in zip(starts, ends, strict=True))
    return [_unescape(phrase) for phrase in phrases if phrase], _unescape(rest.strip())


def _stands_free(q: str, opening: int, closing: int) -> bool:
    before, after = q[opening - 1 : opening], q[closing + 1 : closing + 2]
    return not before.strip() and not after.strip()


def _unescape(text: str) -> str:
    return text.replace('\\"', '"')


def _first_words(text: str, count: int) -> str:
    """The text up to the last of its first ``count`` words; empty where it has no word."""
    end = 0
    for match in itertools.islice(_WORD.finditer(text), count):
        end = match.end()
    return text[:end]


def _in_any_field(kind: str, text: str, fields: Sequence[str]) -> dict[str, Any]:
    # Not multi_match: it reads a star or a caret in a field's name as a pattern or a boost.
    choices = [{kind: {field: {"query": text}}} for field in fields]
    return choices[0] if len(choices) == 1 else {"bool": {"should": choices, "minimum_should_match": 1}}
