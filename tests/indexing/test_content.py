from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.indexing.combinations import Combination
from sidecar.indexing.content import ContentRules, is_embedded_file
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
        replace(RULES, fingerprint="x"),
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


IMAGES = replace(RULES, reads_media=True)
DATA_URI = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


def test_strings_are_files_in_image_indexes_alone() -> None:
    for pointer in ("http://example.com/a", "a.png", DATA_URI):
        assert IMAGES.is_media(pointer)
        assert not RULES.is_media(pointer)
    assert not IMAGES.is_media("A sentence about http://example.com/a.png.")
    assert not IMAGES.is_media("a.wav")
    assert replace(IMAGES, media_suffixes=frozenset({".wav"})).is_media("a.wav")


def test_only_data_uris_and_base64_are_the_file_itself() -> None:
    assert is_embedded_file(DATA_URI)
    assert is_embedded_file(DATA_URI.partition(",")[2])
    assert not is_embedded_file("http://example.com/a.png")
    assert not is_embedded_file("a.png")


def test_an_image_has_another_hash_than_its_pointer_as_a_text() -> None:
    others = [
        replace(IMAGES, patch_method="simple"),
        replace(IMAGES, normalize=False),
        replace(IMAGES, fingerprint="x"),
    ]
    hashes = [rules.media_hash("a.png") for rules in (IMAGES, *others)]
    assert len({*hashes, IMAGES.content_hash("a.png"), IMAGES.media_hash("b.png")}) == len(others) + 3


def test_no_patch_method_is_written_in_several_ways_with_one_hash() -> None:
    assert IMAGES.media_hash("a.png") == replace(IMAGES, patch_method="").media_hash("a.png")


def test_the_hash_of_a_combination_changes_with_all_that_changes_its_vector() -> None:
    combination = Combination((("title", "x", 1.0), ("picture", "a.png", 2.0)))
    others = [
        Combination((("title", "y", 1.0), ("picture", "a.png", 2.0))),
        Combination((("title", "x", 1.5), ("picture", "a.png", 2.0))),
        Combination((("title", "x", 1.0),)),
    ]
    hashes = {IMAGES.combination_hash(value) for value in (combination, *others)}
    hashes |= {rules.combination_hash(combination) for rules in (RULES, replace(IMAGES, prefix="p"))}
    assert len(hashes) == len(others) + 3
    assert IMAGES.combination_hash(combination) == IMAGES.combination_hash(replace(combination))
