"""Cutting a field's text into chunks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sidecar.embedding.texts.sentences import sentence_spans
from sidecar.embedding.texts.spans import Span, trim
from sidecar.embedding.texts.words import word_spans
from sidecar.errors import InvalidArgument

BLANK = " "
"""What is embedded for a text without any character that shows."""

_PASSAGE_END = re.compile(r"\n\r?\n")


class SplitMethod(str, Enum):
    """What the units of a chunk are, in the wire's spelling."""

    SENTENCE = "sentence"
    WORD = "word"
    CHARACTER = "character"
    PASSAGE = "passage"


@dataclass(frozen=True, slots=True)
class TextPreprocessing:
    """How an index cuts its texts: windows of ``split_length`` units, ``split_overlap`` of them shared.

    Raises: InvalidArgument where the windows would be empty or never come to the end.
    """

    split_length: int = 2
    split_overlap: int = 0
    split_method: SplitMethod = SplitMethod.SENTENCE

    def __post_init__(self) -> None:
        if self.split_length < 1:
            raise InvalidArgument(f"text_preprocessing: split_length is {self.split_length}; it must be at least 1")
        if not 0 <= self.split_overlap < self.split_length:
            raise InvalidArgument(
                f"text_preprocessing: split_overlap is {self.split_overlap}; it must be at least 0 and "
                f"less than split_length ({self.split_length})"
            )


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a field's text: ``text`` is embedded, ``source[start:end]`` is what the user wrote there."""

    text: str
    start: int
    end: int


def split_text(text: str, preprocessing: TextPreprocessing) -> list[Chunk]:
    """The chunks of a text, in order; at least one, however short the text is.

    A chunk's text is its units joined by one space (characters: by nothing). No chunk lies wholly inside
    another, and none is blank, save the one ``BLANK`` chunk of a blank text.
    """
    if not text.strip():
        return [Chunk(BLANK, 0, len(text))]
    length, step = preprocessing.split_length, preprocessing.split_length - preprocessing.split_overlap
    if preprocessing.split_method is SplitMethod.CHARACTER:
        spans = [(i, min(i + length, len(text))) for i in _window_starts(len(text), length, step)]
        return [Chunk(text[start:end], start, end) for start, end in spans if not text[start:end].isspace()]
    units = _UNITS[preprocessing.split_method](text)
    windows = (units[i : i + length] for i in _window_starts(len(units), length, step))
    return [
        Chunk(" ".join([text[start:end] for start, end in window]), window[0][0], window[-1][1]) for window in windows
    ]


def _window_starts(count: int, length: int, step: int) -> range:
    """Where windows begin, up to the first that reaches the last of ``count`` units."""
    return range(0, max(count - length, 0) + step, step)


def _passage_spans(text: str) -> list[Span]:
    breaks = [match.span() for match in _PASSAGE_END.finditer(text)]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    spans = (trim(text, start, end) for start, end in zip(starts, ends, strict=True))
    return [span for span in spans if span is not None]


_UNITS: dict[SplitMethod, Callable[[str], list[Span]]] = {
    SplitMethod.SENTENCE: sentence_spans,
    SplitMethod.WORD: word_spans,
    SplitMethod.PASSAGE: _passage_spans,
}
