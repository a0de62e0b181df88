from __future__ import annotations

import pytest

from sidecar.opensearch.index_settings import AnnParameters, FieldModel, IndexSettings, TextPreprocessing
from tests.default_settings import DEFAULTS

FULL = IndexSettings(
    model="x",
    model_properties={"dimensions": 3, "tokens": None},
    search_model="y",
    search_model_properties={"dimensions": 3},
    normalize_embeddings=False,
    treat_urls_and_pointers_as_images=True,
    text_preprocessing=TextPreprocessing(3, 1, "word", "passage: ", "query: ", {"later": [1]}),
    ann_parameters=AnnParameters("hnsw", "l2", "lucene", 64, 8, "byte", {"name": "sq"}),
    number_of_shards=1,
    number_of_replicas=1,
    field_models={"a": FieldModel("z"), "b c": FieldModel("w", {"dimensions": 5})},
)


@pytest.mark.parametrize("settings", [IndexSettings(), FULL])
def test_settings_come_back_from_the_wire(settings: IndexSettings) -> None:
    assert IndexSettings.from_wire(settings.to_wire()) == settings


def test_to_wire_leaves_out_properties_that_are_not_given() -> None:
    assert "model_properties" not in IndexSettings().to_wire()["index_defaults"]
    assert FULL.to_wire()["index_defaults"]["model_properties"] == {"dimensions": 3, "tokens": None}


def test_to_wire_shows_unknown_keys_beside_the_known_ones() -> None:
    assert FULL.to_wire()["index_defaults"]["text_preprocessing"]["later"] == [1]


def test_to_wire_leaves_out_what_clients_do_not_know_at_its_default() -> None:
    assert IndexSettings().to_wire() == DEFAULTS


def test_settings_that_an_earlier_version_stored_are_read() -> None:
    assert IndexSettings.from_wire(DEFAULTS) == IndexSettings()


def test_to_wire_shows_what_makes_vectors_smaller_and_the_fields_models() -> None:
    defaults = FULL.to_wire()["index_defaults"]
    assert defaults["ann_parameters"]["data_type"] == "byte"
    assert defaults["ann_parameters"]["parameters"]["encoder"] == {"name": "sq"}
    assert defaults["field_models"] == {
        "a": {"model": "z"},
        "b c": {"model": "w", "model_properties": {"dimensions": 5}},
    }


def test_a_field_has_its_own_model_or_else_the_indexs() -> None:
    assert FULL.model_of("a") == FULL.search_model_of("a") == FieldModel("z")
    assert FULL.model_of("other") == FieldModel("x", {"dimensions": 3, "tokens": None})
    assert FULL.search_model_of("other") == FieldModel("y", {"dimensions": 3})
