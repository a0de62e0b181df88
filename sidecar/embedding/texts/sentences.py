"""Where the sentences of a text lie."""

from __future__ import annotations

import re

import sentencex

from sidecar.embedding.texts.spans import Span, trim

_LANGUAGE = "en"
# Lone surrogates can't cross into sentencex, which takes UTF-8; one stand-in each keeps all offsets.
_SURROGATE = re.compile("[\ud800-\udfff]")
_STAND_IN = "\ufffd"
# sentencex takes single letters with a period for initials ("J. K. Rowling"). Where a whole sentence is
# made of them there is no name, and each is a sentence of its own, as Punkt has it: "A. B. C." is three.
_ONLY_LETTERS = re.compile(r"\s*(?:[^\W\d_]\.\s+)+[^\W\d_]\.?\s*")
_NOT_SPACE = re.compile(r"\S+")


def sentence_spans(text: str) -> list[Span]:
    """Where the sentences of the text lie, in order, without the white space around them.

    Blank stretches belong to no sentence. English rules; Chinese and Japanese full stops end a sentence too.
    """
    spans: list[Span] = []
    for start, end in _boundaries(text):
        if _ONLY_LETTERS.fullmatch(text, start, end):
            spans += (match.span() for match in _NOT_SPACE.finditer(text, start, end))
            continue
        span = trim(text, start, end)
        if span is None:
            continue
        if spans and _is_one_word(text, spans[-1][1], span[0]):
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return spans


def _boundaries(text: str) -> list[Span]:
    try:
        found = sentencex.get_sentence_boundaries(_LANGUAGE, text)
    except UnicodeEncodeError:
        found = sentencex.get_sentence_boundaries(_LANGUAGE, _SURROGATE.sub(_STAND_IN, text))
    return [(boundary["start_index"], boundary["end_index"]) for boundary in found]


def _is_one_word(text: str, end: int, start: int) -> bool:
    """True where sentencex cut a dotted name, as `collections.OrderedDict`, after its period."""
    return end == start and text[end - 1] == "."
