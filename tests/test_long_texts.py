"""Texts made to keep a processor busy: what looks at them takes a time that grows with their length, and no faster.

Each would take minutes or hours where a pattern tries all ways to part a text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from sidecar.api.schemas.points_in_time import _TIME
from sidecar.embedding.media.pointers import is_pointer, shortened
from sidecar.embedding.texts.sentences import sentence_spans
from sidecar.embedding.texts.words import word_spans
from sidecar.ingest.shaping.types import converted
from sidecar.ingest.sources.texts import _title
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out, on_one_line
from sidecar.native.raw_target import is_plain, read_parameters
from sidecar.native.writes.tokens import token_starts
from sidecar.searching.filter_syntax import parse_filter
from sidecar.searching.filter_values import equals
from sidecar.searching.lexical import build_lexical_query

N = 100_000
MOST_SECONDS = 10.0
NESTED = b'{"a":' * 200 + b"1" + b"}" * 200

CASES: dict[str, Callable[[], object]] = {
    "base64 with line breaks": lambda: is_pointer("/9j/" + "A" * 60 + "\n" * N + "!"),
    "base64 that breaks off": lambda: is_pointer("iVBORw0KGg" + "A" * N + "!"),
    "data URI of many parameters": lambda: is_pointer("data:image/png" + ";a=b" * N + "!"),
    "URL of many dots": lambda: is_pointer("http://" + "a." * N + "/!"),
    "URL of many ats": lambda: shortened("http://" + "@" * N),
    "brackets": lambda: is_pointer("http://[" + "]" * N),
    "number in a filter": lambda: equals("f", "double", "1" * N + "x"),
    "float of a source": lambda: converted("f", "float", "1" * N + "x"),
    "integer of a source": lambda: converted("f", "int", "1" * N + ".0" * N),
    "title of spaces": lambda: _title("a.md", "# a" + " " * N + "x"),
    "title of spaces and signs": lambda: _title("a.md", "# " + " #" * N + "x"),
    "words of dots": lambda: word_spans("a." * N),
    "words of apostrophes": lambda: word_spans("n't" * N),
    "words of letters": lambda: word_spans("a" * N + "!"),
    "words of hyphens": lambda: word_spans("a-" * N + "!"),
    "words of joiners": lambda: word_spans("-" * N + "." * N),
    "sentences of letters": lambda: sentence_spans("A. " * (N // 10) + "!"),
    "sentences of brackets": lambda: sentence_spans("(" * (N // 10)),
    "sentences of quotes": lambda: sentence_spans('"' * (N // 10)),
    "sentences of stops": lambda: sentence_spans("." * (N // 10)),
    "tokens of joiners": lambda: token_starts("_" * N + "!", "standard"),
    "tokens of letters and stops": lambda: token_starts("a." * N, "standard"),
    "tokens of marks": lambda: token_starts("a" + "\u0300" * N, "standard"),
    "phrase that is not closed": lambda: parse_filter('a:"' + "b " * (N // 2)),
    "phrases": lambda: parse_filter('"' * N),
    "backslashes": lambda: parse_filter("a:" + "\\\\" * (N // 2) + "*"),
    "parentheses": lambda: parse_filter("(" * N),
    "regular expression": lambda: parse_filter("a:/" + "(a*)*" * (N // 10) + "/"),
    "wildcards": lambda: parse_filter("a:" + "*a" * (N // 4)),
    "words to search": lambda: build_lexical_query('"' * N, ["a"], None),
    "time of a point": lambda: _TIME.fullmatch("1" * N),
    "depths of a path": lambda: filtered(NESTED, "**." * 20_000 + "x"),
    "depths with names between": lambda: filtered(NESTED, "**.a." * 60 + "x"),
    "stars of a path": lambda: filtered(b'{"' + b"a" * 10_000 + b'":1}', "*a" * 1000 + "*b"),
    "quotes to lay out": lambda: laid_out(b'"' * (N // 10)),
    "comments to take out": lambda: on_one_line(b"/*" * (N // 10) + b"\n"),
    "percent signs": lambda: is_plain("/" + "%4" * N),
    "parameters": lambda: read_parameters("/?" + "&;=" * N),
}


@pytest.mark.parametrize("name", CASES)
def test_long_text_takes_no_long_time(name: str) -> None:
    began = time.process_time()
    # Whether it is taken or refused is told elsewhere.
    with suppress(Exception):
        CASES[name]()
    assert time.process_time() - began < MOST_SECONDS
