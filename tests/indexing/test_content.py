from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.indexing.content import ContentRules
from sidecar.opensearch.index_settings import IndexSettings, TextPreprocessing

TABLE = ModelTable()
E5 = TABLE.resolve("hf/e5-small-v2")
RULES = ContentRules.of_index(IndexSettings(), TABLE.resolve("random/small"), None)


@pytest.mark.parametrize(
    ("requested", "of_index", "wanted"),
    [
        (None, None, "passage: "),
        (None, "index: ", "index: "),
        ("request: ", "index: ", "request: "),
        ("", "index: ", ""),
        (None, "", ""),
    ],
)
def test_the_first_prefix_that_is_given_holds(requested: str | None, of_index: str | None, wanted: str) -> None:
    settings = IndexSettings(text_preprocessing=TextPreprocessing(override_text_chunk_prefix=of_index))
    assert ContentRules.of_index(settings, E5, requested).prefix == wanted


def test_a_model_without_prefix_gets_none() -> None:
    assert RULES.prefix == ""


def test_equal_content_has_an_equal_hash() -> None:
    again = ContentRules.of_index(IndexSettings(), TABLE.resolve("random/small"), None)
    assert RULES.content_hash("a text") == again.content_hash("a text")
    assert len(RULES.content_hash("a text")) == 32


def test_the_hash_changes_with_all_that_changes_an_embedding() -> None:
    split = RULES.preprocessing
    others = [
        replace(RULES, prefix="p"),
        replace(RULES, normalize=False),
        replace(RULES, model_fingerprint="x"),
        replace(RULES, preprocessing=replace(split, split_length=3)),
        replace(RULES, preprocessing=replace(split, split_overlap=1)),
        replace(RULES, preprocessing=replace(split, split_method=type(split.split_method)("word"))),
    ]
    hashes = {rules.content_hash("a text") for rules in [RULES, *others]}
    assert len({*hashes, RULES.content_hash("a text ")}) == len(others) + 2


def test_the_hash_tells_a_prefix_from_a_text_that_begins_so() -> None:
    assert replace(RULES, prefix="a").content_hash("b") != RULES.content_hash("ab")


def test_half_a_surrogate_pair_has_a_hash() -> None:
    assert RULES.content_hash("\ud83d") != RULES.content_hash("?")


def test_chunks_follow_the_indexs_settings() -> None:
    settings = IndexSettings(text_preprocessing=TextPreprocessing(split_length=1, split_method="word"))
    rules = ContentRules.of_index(settings, TABLE.resolve("random/small"), None)
    assert [chunk.text for chunk in rules.chunks("a b c")] == ["a", "b", "c"]
