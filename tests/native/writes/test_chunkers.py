"""Cutting texts by the plugin's algorithms; tokens against the cluster's own."""

from __future__ import annotations

import pytest

from sidecar.errors import InvalidArgument
from sidecar.native.declarations.declaration import Chunking
from sidecar.native.writes.chunkers import Chunker, cut_by_all
from sidecar.native.writes.tokens import token_starts
from tests.native.writes.written import Port

TEXTS = [
    "It's 3.14 o'clock, foo_bar a:b www.example.com/x?y=1 - well-known U.S. 1,000.50 e-mail@example.com",
    "Ärger über Straße, naïve café; Привет, мир! Καλημέρα κόσμε. שלום עולם מרחבא",
    "日本語のテキスト、カタカナと漢字。한국어 문장입니다. 中文没有空格。",
    "tabs\tand\nlines\r\nand   spaces _leading trailing_ a_b __ 'quoted' \"double\" (x) [y] {z} a.b.c. 1.2.3 a1b2 3d",
    "x" * 600 + " end",
    "",
    " \n ",
]


@pytest.mark.parametrize("tokenizer", ["standard", "letter", "lowercase", "whitespace"])
def test_tokens_begin_where_the_clusters_do(direct: Port, tokenizer: str) -> None:
    for text in TEXTS:
        answer = direct.done("POST", "/_analyze", {"tokenizer": tokenizer, "text": text})
        assert token_starts(text, tokenizer) == [token["start_offset"] for token in answer["tokens"]], text


@pytest.mark.parametrize(
    ("algorithm", "parameters", "text", "chunks"),
    [
        (
            "fixed_token_length",
            {"token_limit": 3, "overlap_rate": 0.4},
            " a b, c d e f g.",
            [" a b, c ", "c d e ", "e f g."],
        ),
        ("fixed_token_length", {"token_limit": 2, "max_chunk_limit": 2}, "a b c d e f", ["a b ", "c d e f"]),
        ("fixed_token_length", {"token_limit": 2}, " .,", []),
        ("fixed_char_length", {"char_limit": 4, "overlap_rate": 0.5}, "abcdefgh", ["abcd", "cdef", "efgh"]),
        ("fixed_char_length", {"char_limit": 4, "max_chunk_limit": 1}, "abcdefgh", ["abcdefgh"]),
        ("delimiter", {"delimiter": "."}, "a.b..c", ["a.", "b.", ".", "c"]),
        ("delimiter", {"delimiter": ".", "max_chunk_limit": 2}, "a.b.c.", ["a.", "b.c."]),
        ("delimiter", {}, "a\n\nb", ["a\n\n", "b"]),
    ],
)
def test_texts_are_cut(algorithm: str, parameters: dict[str, object], text: str, chunks: list[str]) -> None:
    assert Chunker(Chunking(algorithm, parameters)).cut([text]) == [chunks]


def test_texts_of_one_document_share_the_limit() -> None:
    chunker = Chunker(Chunking("delimiter", {"delimiter": ".", "max_chunk_limit": 4}))
    assert chunker.cut(["a.b.c.d", "", "x.y", "z"]) == [["a.", "b.c.d"], [], ["x.y"], ["z"]]
    unlimited = Chunker(Chunking("delimiter", {"delimiter": ".", "max_chunk_limit": -1}))
    assert len(unlimited.cut(["a." * 500])[0]) == 500


def test_a_text_of_too_many_tokens_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="10,001 tokens"):
        Chunker(Chunking("fixed_token_length", {})).cut(["a " * 10_001])


def test_ways_of_chunking_follow_one_another() -> None:
    ways = [Chunking("delimiter", {"delimiter": "."}), Chunking("fixed_char_length", {"char_limit": 3})]
    assert cut_by_all("abcd.ef", ways) == ["abc", "d.", "ef"]
