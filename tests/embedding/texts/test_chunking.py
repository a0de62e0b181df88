"""Chunks of a text."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.texts.chunking import Chunk, SplitMethod, TextPreprocessing, split_text
from sidecar.embedding.texts.sentences import sentence_spans
from sidecar.embedding.texts.words import word_spans
from sidecar.errors import InvalidArgument

PIECES = [
    "A. ",
    "b. ",
    "U.S. ",
    "Dr. Who ",
    "os.path.Join",
    "e.g. ",
    "\n",
    "\r\n",
    "\n\n",
    "\r\n\r\n",
    "\x00",
    "😀",
    "👩‍👩‍👧",
    "\ud83d",
]
PIECES += [
    "don't ",
    "3.14, ",
    "! ",
    "?",
    "…",
    "。",
    "é",
    "e\u0301",
    "\u00a0",
    "\u2028",
    "\u3000",
    "\t",
    "\ufeff",
    "\x85",
    "“q.” ",
    "I. ",
]
texts = st.one_of(
    st.text(alphabet=st.characters(), max_size=200),  # characters() gives lone surrogates too
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
)
methods = st.sampled_from(SplitMethod)


def chunk_texts(text: str, method: SplitMethod, *, length: int = 1, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in split_text(text, TextPreprocessing(length, overlap, method))]


def slices(spans: list[tuple[int, int]], text: str) -> list[str]:
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize("text", ["", " ", "\n\n", " \t\r\n\u3000"])
@pytest.mark.parametrize("method", SplitMethod)
def test_split_text_gives_one_blank_chunk_when_text_is_blank(text: str, method: SplitMethod) -> None:
    assert split_text(text, TextPreprocessing(split_method=method)) == [Chunk(" ", 0, len(text))]


@pytest.mark.parametrize("text", ["a", ".", "😀", "\x00", "\ud83d"])
@pytest.mark.parametrize("method", SplitMethod)
def test_split_text_gives_the_character_when_text_is_one_character(text: str, method: SplitMethod) -> None:
    assert split_text(text, TextPreprocessing(split_method=method)) == [Chunk(text, 0, 1)]


def test_split_text_pairs_sentences_when_nothing_is_set() -> None:
    assert split_text("A. B. C.", TextPreprocessing()) == [Chunk("A. B.", 0, 5), Chunk("C.", 6, 8)]


@pytest.mark.parametrize(
    ("count", "length", "overlap", "windows"),
    [
        (4, 2, 1, ["1 2", "2 3", "3 4"]),
        (3, 2, 0, ["1 2", "3"]),
        (5, 3, 1, ["1 2 3", "3 4 5"]),
        (4, 3, 1, ["1 2 3", "3 4"]),
        (4, 3, 2, ["1 2 3", "2 3 4"]),
        (2, 5, 4, ["1 2"]),
        (1, 1, 0, ["1"]),
    ],
)
def test_split_text_moves_a_window_over_the_units(count: int, length: int, overlap: int, windows: list[str]) -> None:
    text = "  ".join(str(unit) for unit in range(1, count + 1))
    assert chunk_texts(text, SplitMethod.WORD, length=length, overlap=overlap) == windows


@pytest.mark.parametrize(
    ("length", "overlap", "field"),
    [(0, 0, "split_length"), (-1, 0, "split_length"), (2, 2, "split_overlap"), (2, -1, "split_overlap")],
)
def test_text_preprocessing_names_the_setting_when_it_is_out_of_range(length: int, overlap: int, field: str) -> None:
    with pytest.raises(InvalidArgument, match=f"text_preprocessing: {field} is"):
        TextPreprocessing(length, overlap)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Smith came. He left.", ["Dr. Smith came.", "He left."]),
        ("J. K. Rowling wrote it. It sold.", ["J. K. Rowling wrote it.", "It sold."]),
        ("Many, e.g. these, stay. The U.S. Army too.", ["Many, e.g. these, stay.", "The U.S. Army too."]),
        (
            "Version 1.5.1 is out! See www.a.com?  Yes...",
            ["Version 1.5.1 is out!", "See www.a.com?", "Yes..."],
        ),
        (
            "Use collections.OrderedDict. Or os.Path.Join here.",
            ["Use collections.OrderedDict.", "Or os.Path.Join here."],
        ),
        ("One line\nof text.\n\nA heading\n\nMore.", ["One line\nof text.", "A heading", "More."]),
        ("He said.\r\nShe did.\r\n", ["He said.", "She did."]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("a.\nb.\nc.", ["a.", "b.", "c."]),
        ("😀 one. 👩‍👩‍👧 two.", ["😀 one.", "👩‍👩‍👧 two."]),
        ("bad \ud800 one. Two.", ["bad \ud800 one.", "Two."]),
        ("no end", ["no end"]),
    ],
)
def test_sentence_spans_find_the_sentences(text: str, sentences: list[str]) -> None:
    assert slices(sentence_spans(text), text) == sentences


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't, it's Joe’s.", ["I", "do", "n't", ",", "it", "'s", "Joe", "’s", "."]),
        ("They'll WON'T O'Brien", ["They", "'ll", "WO", "N'T", "O'Brien"]),
        (
            "$1,000.50 (well-known) U.S. e.g.: 5%",
            ["$", "1,000.50", "(", "well-known", ")", "U.S.", "e.g.", ":", "5", "%"],
        ),
        ('os.path.join... wait -- "x"!', ["os.path.join", "...", "wait", "--", '"', "x", '"', "!"]),
        ("naïve 😀 日本", ["naïve", "😀", "日本"]),
    ],
)
def test_word_spans_part_contractions_and_punctuation(text: str, words: list[str]) -> None:
    assert slices(word_spans(text), text) == words


def test_split_text_joins_words_by_one_space_and_keeps_the_source_offsets() -> None:
    text = "I  don't\nknow."
    chunks = split_text(text, TextPreprocessing(3, 0, SplitMethod.WORD))
    assert [chunk.text for chunk in chunks] == ["I do n't", "know ."]
    assert [text[chunk.start : chunk.end] for chunk in chunks] == ["I  don't", "know."]


def test_split_text_cuts_characters_when_asked() -> None:
    assert chunk_texts("ab c😀", SplitMethod.CHARACTER, length=2) == ["ab", " c", "😀"]
    assert chunk_texts("abcd", SplitMethod.CHARACTER, length=3, overlap=2) == ["abc", "bcd"]
    assert chunk_texts("a    b", SplitMethod.CHARACTER, length=2) == ["a ", " b"]


def test_split_text_cuts_passages_at_empty_lines() -> None:
    assert chunk_texts("a\nb\n\n\n c \r\n\r\nd\n\n", SplitMethod.PASSAGE) == ["a\nb", "c", "d"]
    assert chunk_texts("a\n\nb\n\nc", SplitMethod.PASSAGE, length=2) == ["a b", "c"]


@given(text=texts, method=methods)
def test_units_are_in_order_and_leave_out_nothing_but_space(text: str, method: SplitMethod) -> None:
    chunks = split_text(text, TextPreprocessing(1, 0, method))
    if not text.strip():
        return
    position = 0
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert not text[position : chunk.start].strip()
        assert position <= chunk.start < chunk.end
        position = chunk.end
    assert not text[position:].strip()


@given(text=texts, method=methods, length=st.integers(1, 6), data=st.data())
def test_chunks_cover_the_units_and_none_lies_in_another(
    text: str, method: SplitMethod, length: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, length - 1))
    chunks = split_text(text, TextPreprocessing(length, overlap, method))
    assert chunks
    for chunk in chunks:
        written = text[chunk.start : chunk.end]
        assert "".join(chunk.text.split()) == "".join(written.split())
    for one, other in itertools.pairwise(chunks):
        assert one.start < other.start
        assert one.end < other.end


@pytest.mark.parametrize(
    "text", ["a" * 500_000, "A. " * 150_000, "n't" * 150_000, "." * 500_000, "a.b" * 150_000, "a,1" * 150_000]
)
@pytest.mark.parametrize("method", SplitMethod)
def test_split_text_takes_linear_time_when_text_is_hostile(text: str, method: SplitMethod) -> None:
    began = time.process_time()
    split_text(text, TextPreprocessing(split_method=method))
    assert time.process_time() - began < 2.0  # about 0.5 s at worst; quadratic time would be hours
