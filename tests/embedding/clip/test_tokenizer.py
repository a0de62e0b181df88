"""Texts get open_clip's own token ids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.embedding.clip_tokenizer import ClipTokenizer

TEXTS = [
    "",
    " ",
    "a",
    "A Photo of a CAT's tail, isn't it?  they'LL we've I'm 'd",
    "caf&eacute; &amp;amp; &lt;b&gt; &#x1F600;",
    "mojibake: cafÃ© â€œquotedâ€\x9d",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉👨‍👩‍👧",
    "<start_of_text>",
    "a <end_of_text> b",
    "!<start_of_text>",
    "x<end_of_text><start_of_text>?",
    "<START_OF_TEXT> </w> ##",
    "1234567890 ½ Ⅷ ²",
    "\ttabs\nand\r\nlines\u2028and\x00more\u200b",
    "word " * 200,
    "longword" * 100,
    "!" * 300,
    "İstanbul ẞ ΟΔΟΣ ﬁ ｆｕｌｌ",
]
Encode = Callable[[list[str]], list[list[int]]]


def pair(folder: Path, context_length: int, clean: str, max_tokens: int) -> tuple[Encode, Encode]:
    """open_clip's own tokenizer and the converted one."""
    from open_clip.tokenizer import SimpleTokenizer

    from sidecar.embedding.clip_tokenizer_export import write_tokenizer

    own = SimpleTokenizer(context_length=context_length, clean=clean)
    clip: Any = SimpleNamespace(tokenizer=own)
    facts = write_tokenizer(clip, folder / "tokenizer.json")
    converted = ClipTokenizer(folder / "tokenizer.json", facts, max_tokens)

    def encode_own(texts: list[str]) -> list[list[int]]:
        return [row[: row.index(own.eot_token_id) + 1] for row in own(texts, context_length=max_tokens).tolist()]

    return encode_own, converted.encode


@pytest.fixture(scope="module")
def default_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encode, Encode]:
    return pair(tmp_path_factory.mktemp("tokenizer"), 77, "lower", 77)


def without_inner_ends(ids: list[list[int]]) -> list[list[int]]:
    """The ids to the first end of text: a text that says so itself has more of them."""
    return [row[: row.index(49407) + 1] for row in ids]


def test_texts_have_open_clips_own_ids(default_pair: tuple[Encode, Encode]) -> None:
    own, converted = default_pair
    assert without_inner_ends(converted(TEXTS)) == own(TEXTS)
    assert without_inner_ends([converted([text])[0] for text in TEXTS]) == own(TEXTS)
    assert converted([]) == []


@pytest.mark.parametrize("clean", ["lower", "whitespace", "canonicalize"])
@pytest.mark.parametrize("max_tokens", [2, 5, 24])
def test_other_cleaning_and_lengths_have_open_clips_own_ids(clean: str, max_tokens: int, tmp_path: Path) -> None:
    own, converted = pair(tmp_path, 24, clean, max_tokens)
    assert without_inner_ends(converted(TEXTS)) == own(TEXTS)
    assert max(map(len, converted(TEXTS))) == max_tokens


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_has_open_clips_own_ids(default_pair: tuple[Encode, Encode], text: str) -> None:
    own, converted = default_pair
    assert without_inner_ends(converted([text])) == own([text])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from([*"<>'!_ aZ9é½", "start_of_text", "end_of_text", "&amp;", "'s", "\u00a0"])))
def test_texts_near_the_special_ones_have_open_clips_own_ids(
    default_pair: tuple[Encode, Encode], parts: list[str]
) -> None:
    own, converted = default_pair
    text = "".join(parts)
    assert without_inner_ends(converted([text])) == own([text])


def test_half_of_a_surrogate_pair_is_a_question_mark(default_pair: tuple[Encode, Encode]) -> None:
    _, converted = default_pair
    assert converted(["half \ud83d pair"]) == converted(["half ? pair"])
