"""The settings of a new index out of those of the old one and what is to change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli.migrate_options import Asked
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument
from sidecar.given_settings import load_settings
from sidecar.ingest.migration.changed_settings import Changes, changed_settings
from sidecar.ingest.migration.field_choices import FieldChoices
from sidecar.opensearch.client import ClusterFacts
from sidecar.opensearch.index_settings import AnnParameters, FieldModel, IndexSettings, TextPreprocessing

FACTS = ClusterFacts((3, 5, 0), is_embedded=True)
OLD = IndexSettings(model="random/small", search_model="random/small")
PROPERTIES = {"type": "random", "dimensions": 7}


def changed(old: IndexSettings, settings: dict[str, Any] | None = None, **others: Any) -> IndexSettings:
    return changed_settings(old, Changes(settings or {}, **others), load_settings(), FACTS)


def defaults(**values: Any) -> dict[str, Any]:
    return {"index_defaults": values}


def test_what_is_not_named_stays() -> None:
    old = replace(
        OLD,
        text_preprocessing=TextPreprocessing(3, 1, "word", "chunk: ", others={"x": 1}),
        ann_parameters=AnnParameters(space_type="l2", m=24),
        field_models={"title": FieldModel("random/medium")},
        number_of_shards=5,
    )
    assert changed(old) == old
    ann = changed(old, defaults(ann_parameters={"parameters": {"m": 32}})).ann_parameters
    assert ann == AnnParameters(space_type="l2", m=32)
    models = changed(old, defaults(field_models={"note": {"model": "random/large"}})).field_models
    assert models == {"title": FieldModel("random/medium"), "note": FieldModel("random/large")}


def test_another_model_embeds_queries_too_and_leaves_the_old_ones_properties() -> None:
    old = replace(OLD, model_properties=PROPERTIES, search_model="random/large")
    new = changed(old, defaults(model="random/medium"))
    assert (new.model, new.model_properties) == ("random/medium", None)
    assert (new.search_model, new.search_model_properties) == ("random/medium", None)
    both = changed(OLD, defaults(model="random/medium", search_model="random/large"))
    assert (both.model, both.search_model) == ("random/medium", "random/large")


def test_precision_is_a_property_of_the_model_in_documents_and_queries() -> None:
    new = changed(replace(OLD, model_properties=PROPERTIES, search_model_properties=PROPERTIES), precision="int8")
    assert new.model_properties == {**PROPERTIES, "precision": "int8"} == new.search_model_properties
    other = changed(OLD, defaults(model="hf/e5-small"), precision="int8")
    assert other.model_properties == {"precision": "int8"} == other.search_model_properties
    unlike = changed(replace(OLD, search_model="random/large"), precision="int8")
    assert (unlike.search_model, unlike.search_model_properties) == ("random/large", None)


def test_wrong_settings_are_told_as_those_of_any_new_index() -> None:
    with pytest.raises(InvalidArgument, match="modle"):
        changed(OLD, defaults(modle="x"))
    with pytest.raises(InvalidArgument, match="number_of_replicas is 9"):
        changed(OLD, {"number_of_replicas": 9})
    assert changed(replace(OLD, number_of_replicas=9)).number_of_replicas == 9


@pytest.mark.parametrize(
    ("target", "is_kept"),
    [
        (replace(OLD, number_of_shards=9, ann_parameters=AnnParameters(m=32, space_type="l2")), True),
        (replace(OLD, search_model="random/large"), True),
        (replace(OLD, text_preprocessing=TextPreprocessing(override_text_query_prefix="q: ")), True),
        (replace(OLD, text_preprocessing=TextPreprocessing(override_text_chunk_prefix="c: ")), False),
        (replace(OLD, text_preprocessing=TextPreprocessing(3)), False),
        (replace(OLD, normalize_embeddings=False), False),
        (replace(OLD, treat_urls_and_pointers_as_images=True), False),
        (replace(OLD, ann_parameters=AnnParameters(data_type="byte")), False),
        (replace(OLD, model="random/medium"), False),
        (replace(OLD, model_properties={"type": "random", "dimensions": 32, "tokens": 9}), False),
        (replace(OLD, field_models={"other": FieldModel("random/large")}), True),
        (replace(OLD, field_models={"title": FieldModel("random/large")}), False),
    ],
)
def test_vectors_are_kept_where_the_model_would_make_the_same_again(target: IndexSettings, is_kept: bool) -> None:
    assert FieldChoices(OLD, target, ModelTable()).is_kept("title") is is_kept


def test_a_model_that_is_not_known_any_more_made_vectors_that_can_not_be_told() -> None:
    assert not FieldChoices(replace(OLD, model="gone/model"), OLD, ModelTable()).is_kept("title")


def asked(**options: Any) -> Asked:
    names = Asked.__dataclass_fields__
    given = dict.fromkeys(names) | {"name": "books", "add_tensor_field": (), "query": (), "keep_unembeddable": False}
    return Asked(**given | options)


def test_options_stand_over_the_file_of_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"number_of_shards": 2, "index_defaults": {"model": "a", "ann_parameters": {"engine": "lucene"}}}')
    changes = asked(settings=file, model="b", m=32, replicas=1, model_properties='{"dimensions": 3}').changes()
    assert changes.settings == {
        "number_of_shards": 2,
        "number_of_replicas": 1,
        "index_defaults": {
            "model": "b",
            "model_properties": {"dimensions": 3},
            "ann_parameters": {"engine": "lucene", "parameters": {"m": 32}},
        },
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"settings": Path("/no/such/file.json")}, "--settings is neither"),
        ({"model_properties": "{"}, "--model-properties is neither"),
        ({"weights": '{"both": {"a": "much"}}'}, "--weights: field 'both'"),
        ({"weights": '{"both": 1}'}, "--weights: field 'both'"),
    ],
)
def test_options_that_can_not_be_read_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        asked(**options).changes()
