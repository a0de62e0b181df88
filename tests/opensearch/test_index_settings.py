from __future__ import annotations

import pytest

from sidecar.opensearch.index_settings import AnnParameters, IndexSettings, TextPreprocessing

FULL = IndexSettings(
    model="x",
    model_properties={"dimensions": 3, "tokens": None},
    search_model="y",
    search_model_properties={"dimensions": 3},
    normalize_embeddings=False,
    treat_urls_and_pointers_as_images=True,
    text_preprocessing=TextPreprocessing(3, 1, "word", "passage: ", "query: ", {"later": [1]}),
    ann_parameters=AnnParameters("hnsw", "l2", "lucene", 64, 8),
    number_of_shards=1,
    number_of_replicas=1,
)


@pytest.mark.parametrize("settings", [IndexSettings(), FULL])
def test_settings_come_back_from_the_wire(settings: IndexSettings) -> None:
    assert IndexSettings.from_wire(settings.to_wire()) == settings


def test_to_wire_leaves_out_properties_that_are_not_given() -> None:
    assert "model_properties" not in IndexSettings().to_wire()["index_defaults"]
    assert FULL.to_wire()["index_defaults"]["model_properties"] == {"dimensions": 3, "tokens": None}


def test_to_wire_shows_unknown_keys_beside_the_known_ones() -> None:
    assert FULL.to_wire()["index_defaults"]["text_preprocessing"]["later"] == [1]
