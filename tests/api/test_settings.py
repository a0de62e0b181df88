from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.api.schemas.settings import SPLIT_METHODS, SettingsLimits, parse_index_settings
from sidecar.errors import InvalidArgument, InvalidFieldName, SidecarError
from sidecar.opensearch.client import ClusterFacts
from sidecar.opensearch.index_settings import IndexSettings
from tests.default_settings import DEFAULTS

EMBEDDED = ClusterFacts(version=(3, 5, 0), is_embedded=True)
OWN_3 = ClusterFacts(version=(3, 5, 0), is_embedded=False)
LIMITS = SettingsLimits()
OWN_2_11 = ClusterFacts(version=(2, 11, 0), is_embedded=False)
PATCH_METHODS = ("", "none", "simple", "overlap", "overlap?hn=2&wn=4", "dino-v1", "dino-v2")


def parse(body: Any, facts: ClusterFacts = EMBEDDED, limits: SettingsLimits = LIMITS) -> IndexSettings:
    return parse_index_settings(body, limits=limits, facts=facts)


def wire(index_defaults: dict[str, Any]) -> Any:
    """The merged `index_defaults` of these given ones."""
    return parse({"index_defaults": index_defaults}).to_wire()["index_defaults"]


def text(**given: Any) -> dict[str, Any]:
    return {"index_defaults": {"text_preprocessing": given}}


def image(**given: Any) -> dict[str, Any]:
    return {"index_defaults": {"image_preprocessing": given}}


def ann(**given: Any) -> dict[str, Any]:
    return {"index_defaults": {"ann_parameters": given}}


def encoder(**given: Any) -> dict[str, Any]:
    return {"parameters": {"encoder": given}}


@pytest.mark.parametrize("body", [None, {}, {"index_defaults": {}}, {"number_of_shards": None}])
def test_settings_are_the_defaults_when_nothing_is_given(body: Any) -> None:
    assert parse(body).to_wire() == DEFAULTS


def test_settings_keep_the_order_of_keys_of_the_wire() -> None:
    assert orjson.dumps(parse(None).to_wire()) == orjson.dumps(DEFAULTS)


def test_settings_are_merged_deeply_over_the_defaults() -> None:
    merged = wire({"ann_parameters": {"parameters": {"m": 24}}, "text_preprocessing": {"split_length": 5}})
    assert merged["ann_parameters"]["parameters"] == {"ef_construction": 128, "m": 24}
    assert merged["text_preprocessing"] == {
        **DEFAULTS["index_defaults"]["text_preprocessing"],
        "split_length": 5,
    }


def test_null_means_not_given_at_every_depth() -> None:
    nulls: dict[str, Any] = {
        "number_of_replicas": None,
        "index_defaults": {
            "model": None,
            "search_model": None,
            "model_properties": None,
            "text_preprocessing": None,
            "image_preprocessing": {"patch_method": None},
            "ann_parameters": {"engine": None, "parameters": {"m": None}},
        },
    }
    assert parse(nulls).to_wire() == DEFAULTS


def test_null_stays_inside_model_properties() -> None:
    merged = wire({"model": "x", "model_properties": {"dimensions": 3, "tokens": None}})
    assert merged["model_properties"] == {"dimensions": 3, "tokens": None}


def test_unknown_keys_of_the_preprocessing_are_kept() -> None:
    merged = wire({"text_preprocessing": {"later": [1]}, "image_preprocessing": {"later": {"a": None, "b": 1}}})
    assert merged["text_preprocessing"]["later"] == [1]
    assert merged["image_preprocessing"]["later"] == {"b": 1}


def test_search_model_is_the_model_when_it_is_not_given() -> None:
    merged = wire({"model": "x", "model_properties": {"dimensions": 3}})
    assert (merged["search_model"], merged["search_model_properties"]) == ("x", {"dimensions": 3})


def test_search_model_of_another_name_does_not_take_over_the_model_s_properties() -> None:
    merged = wire({"model": "x", "model_properties": {"dimensions": 3}, "search_model": "y"})
    assert merged["search_model"] == "y"
    assert "search_model_properties" not in merged


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"search_model": "y"}, r"search_model needs index_defaults\.model"),
        ({"model_properties": {}}, r"model_properties needs index_defaults\.model"),
        (
            {"model": "x", "search_model_properties": {}},
            r"search_model_properties needs index_defaults\.search_model",
        ),
        # The models are looked at before anything else.
        ({"search_model": "y", "nonsense": 1}, r"search_model needs"),
    ],
)
def test_models_that_do_not_go_together_are_refused_first(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        parse({"index_defaults": given})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"foo": 1}, "'foo' is not a key of the index settings"),
        ({"number_of_shard": 1}, "Did you mean 'number_of_shards'"),
        ({"model": "x"}, "'model' is not a key"),
        (
            {"index_defaults": {"modle": "x"}},
            "'modle' is not a key .* 'index_defaults'.* Did you mean 'model'",
        ),
        (ann(spacetype="l2"), "'spacetype' .* 'index_defaults.ann_parameters'.* Did you mean 'space_type'"),
        (ann(parameters={"ef": 1}), "'ef' is not a key .* Known keys: ef_construction, m"),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest_key(body: Any, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        parse(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"index_defaults": None}, "index_defaults must be an object"),
        ({"index_defaults": []}, "index_defaults: must be an object"),
        ({"number_of_shards": 0}, "number_of_shards: must be at least 1"),
        ({"number_of_shards": 1025}, "number_of_shards: must be at most 1024"),
        ({"number_of_shards": "2"}, "number_of_shards: must be a whole number; given: '2'"),
        ({"number_of_shards": True}, "number_of_shards: must be a whole number"),
        ({"number_of_shards": 1.0}, "number_of_shards: must be a whole number"),
        ({"number_of_replicas": 2}, "number_of_replicas is 2; the limit is 1"),
        ({"number_of_replicas": -1}, "number_of_replicas"),
        ({"index_defaults": {"normalize_embeddings": 1}}, "normalize_embeddings: must be true or false"),
        ({"index_defaults": {"treat_urls_and_pointers_as_images": "true"}}, "treat_urls"),
        ({"index_defaults": {"model": 5}}, "index_defaults.model: must be a text"),
        ({"index_defaults": {"model": "x", "model_properties": "y"}}, "model_properties: must be an object"),
        (text(split_length=0), "split_length: must be at least"),
        (text(split_overlap=-1), "split_overlap"),
        (text(split_overlap=2), "split_overlap is 2; it must be less"),
        (text(split_method="sentences"), "Did you mean 'sentence'"),
        (text(override_text_chunk_prefix=1), "override_text_chunk_prefix"),
        (image(patch_method="simpl"), "image_preprocessing: patch_method 'simpl' is not known.* Use one of 'simple'"),
        (image(patch_method="frcnn"), "image_preprocessing: patch_method 'frcnn' needs an object detector"),
        (ann(parameters={"m": 1}), "parameters.m: must be at least 2"),
        (ann(parameters={"m": 101}), "parameters.m: must be at most 100"),
        (ann(parameters={"ef_construction": 0}), "ef_construction: must be at least 1"),
        (ann(parameters={"ef_construction": 4097}), "ef_construction is 4097; the limit is 4096"),
        (ann(name="ivf"), "ann_parameters.name is 'ivf'; it must be one of: hnsw"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_with_its_key_and_rule(body: Any, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        parse(body)


def test_limits_are_the_operator_s() -> None:
    body = {"number_of_replicas": 3, **ann(parameters={"ef_construction": 5000})}
    settings = parse(body, limits=SettingsLimits(max_replicas=3, max_ef_construction=5000))
    assert (settings.number_of_replicas, settings.ann_parameters.ef_construction) == (3, 5000)


@pytest.mark.parametrize(
    ("given", "facts", "told"),
    [
        ({"engine": "faiss"}, EMBEDDED, "no faiss library; set OPENSEARCH_URL .* Supported here: lucene"),
        ({"engine": "nmslib"}, EMBEDDED, "OpenSearch 3 and later make no indexes with nmslib"),
        ({"engine": "nmslib"}, OWN_2_11, "OpenSearch 3 has dropped it. Supported here: lucene, faiss"),
        ({"engine": "Lucene"}, OWN_3, "'Lucene' is not an engine"),
        ({"space_type": "l1"}, EMBEDDED, "no space 'l1'.* It has: l2, cosinesimil, innerproduct"),
        ({"space_type": "linf"}, OWN_3, "no space 'linf'"),
        ({"space_type": "cosine"}, EMBEDDED, "Did you mean 'cosinesimil'"),
        ({"space_type": "innerproduct"}, OWN_2_11, r"OpenSearch 2\.11\.0 has no space 'innerproduct'"),
        ({"engine": "faiss", "space_type": "cosinesimil"}, OWN_2_11, "It has: l2, innerproduct"),
        ({"data_type": "byte", "space_type": "l2"}, EMBEDDED, "needs the space 'cosinesimil'.* on which 'l2' depends"),
        ({"data_type": "byte", "space_type": "innerproduct"}, OWN_3, "needs the space 'cosinesimil'"),
        ({"data_type": "byte", "engine": "faiss"}, OWN_3, "needs the engine lucene"),
        ({"data_type": "byte", **encoder(name="sq")}, OWN_3, "leave it out where .*data_type is 'byte'"),
        ({"data_type": "bit"}, OWN_3, "data_type: .*'float' or 'byte'; given: 'bit'"),
        (encoder(name="sq"), OWN_2_11, r"lucene has the encoder 'sq' since OpenSearch 2\.16\.0; .* is 2\.11\.0"),
        (
            {"engine": "faiss", "space_type": "l2", **encoder(name="sq")},
            OWN_2_11,
            r"since OpenSearch 2\.13\.0; .*2\.11",
        ),
        (encoder(name="pq"), OWN_3, "encoder.name must be 'sq', given: 'pq'"),
        (encoder(), OWN_3, "encoder.name must be 'sq'"),
        (encoder(name="sq", bits=7), OWN_3, "'bits' is not a known key. Known keys: name, parameters"),
        (encoder(name="sq", parameters=5), OWN_3, "parameters must be an object"),
        (encoder(name="sq", parameters={"bits": 4}), OWN_3, "bits must be 7 for the engine lucene, given: 4"),
        (encoder(name="sq", parameters={"type": "fp16"}), OWN_3, "Known keys: bits, confidence_interval"),
        (encoder(name="sq", parameters={"confidence_interval": 0.5}), OWN_3, "must be 0, or 0.9 to 1.0; given: 0.5"),
        ({"engine": "faiss", **encoder(name="sq", parameters={"type": "x"})}, OWN_3, "type must be 'fp16'"),
        ({"engine": "faiss", **encoder(name="sq", parameters={"clip": 1})}, OWN_3, "clip must be true or false"),
        ({"engine": "faiss", **encoder(name="sq", parameters={"bits": 1})}, OWN_3, "bits must be 16"),
    ],
)
def test_what_the_cluster_can_not_index_is_refused(given: Any, facts: ClusterFacts, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        parse(ann(**given), facts)


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ({"space_type": "l2"}, OWN_2_11),
        ({"space_type": "innerproduct"}, EMBEDDED),
        ({"engine": "faiss", "space_type": "cosinesimil"}, OWN_3),
        ({"engine": "faiss", "space_type": "l2"}, OWN_2_11),
    ],
)
def test_what_the_cluster_can_index_is_taken(given: Any, facts: ClusterFacts) -> None:
    taken = parse(ann(**given), facts).ann_parameters
    assert {key: getattr(taken, key) for key in given} == given


@pytest.mark.parametrize(
    ("engine", "facts", "parameters"),
    [
        ("lucene", EMBEDDED, {}),
        ("lucene", EMBEDDED, {"bits": 7, "confidence_interval": 0.95}),
        ("lucene", OWN_3, {"confidence_interval": 0}),
        ("faiss", OWN_3, {"type": "fp16", "clip": True}),
        ("faiss", OWN_3, {"bits": 16}),
    ],
)
def test_an_encoder_that_the_engine_has_is_taken(engine: str, facts: ClusterFacts, parameters: Any) -> None:
    given = {"name": "sq", "parameters": parameters}
    assert parse(ann(engine=engine, **encoder(**given)), facts).ann_parameters.encoder == given


def test_byte_vectors_are_taken_by_lucene_of_every_version() -> None:
    for facts in (EMBEDDED, OWN_2_11):
        assert parse(ann(data_type="byte"), facts).ann_parameters.data_type == "byte"


def test_fields_may_have_models_of_their_own() -> None:
    models = {"a": {"model": "x"}, "b c": {"model": "y", "model_properties": {"dimensions": 3, "tokens": None}}}
    assert wire({"field_models": models})["field_models"] == models
    assert wire({"field_models": {"a": {"model": "x", "model_properties": None}}})["field_models"] == {
        "a": {"model": "x"}
    }
    for nothing in (None, {}, {"a": None}):
        assert "field_models" not in wire({"field_models": nothing})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "field_models: must be an object"),
        ({"a": "x"}, r"field_models\.a: must be an object"),
        ({"a": {}}, r"field_models\.a\.model: must be given"),
        ({"a": {"model": 5}}, r"field_models\.a\.model: must be a text"),
        ({"a": {"model": "x", "dimensions": 5}}, "'dimensions' is not a key .*Known keys: model, model_properties"),
        ({"_id": {"model": "x"}}, "'_id' is not embedded"),
    ],
)
def test_a_bad_field_model_is_named_with_its_field(given: Any, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        parse({"index_defaults": {"field_models": given}})


def test_a_field_model_needs_a_name_that_a_field_may_have() -> None:
    with pytest.raises(InvalidFieldName, match=r"'a\.b'"):
        parse({"index_defaults": {"field_models": {"a.b": {"model": "x"}}}})


@pytest.mark.parametrize("method", SPLIT_METHODS)
def test_every_split_method_is_taken(method: str) -> None:
    assert wire({"text_preprocessing": {"split_method": method}})["text_preprocessing"]["split_method"] == method


@pytest.mark.parametrize("method", PATCH_METHODS)
def test_every_patch_method_is_taken(method: str) -> None:
    assert wire({"image_preprocessing": {"patch_method": method}})["image_preprocessing"]["patch_method"] == method


def test_properties_that_no_json_can_hold_are_refused() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    for value in (deep, 2**70):
        with pytest.raises(InvalidArgument, match="can't be stored"):
            parse({"index_defaults": {"model": "x", "model_properties": {"dimensions": 3, "a": value}}})


KEYS = [
    *DEFAULTS,
    *DEFAULTS["index_defaults"],
    *DEFAULTS["index_defaults"]["text_preprocessing"],
    *DEFAULTS["index_defaults"]["ann_parameters"],
    "patch_method", "m", "ef_construction", "model_properties", "search_model_properties", "nonsense",
    "field_models", "data_type", "encoder",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(),
    st.sampled_from(["lucene", "hnsw", "l2", "word", "simple", "hf/all_datasets_v4_MiniLM-L6"]),
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text()), inner, max_size=4),
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text()), JSON, max_size=4)


@given(OBJECTS, st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5))
def test_any_json_object_is_parsed_or_refused_with_an_error_of_ours(body: Any, index_defaults: Any) -> None:
    for candidate in (body, {"index_defaults": index_defaults}):
        try:
            settings = parse(candidate)
        except SidecarError as error:
            assert error.status == 400
            orjson.dumps(error.as_body())
        else:
            assert IndexSettings.from_wire(orjson.loads(orjson.dumps(settings.to_wire()))) == settings
            assert parse(settings.to_wire()) == settings
