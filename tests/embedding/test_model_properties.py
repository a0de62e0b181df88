"""Models described by ``model_properties``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.kinds import LOADERS
from sidecar.embedding.known_dimensions import known_dimensions
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_locations import LOCATION_KEYS
from sidecar.embedding.model_options import OPTION_KEYS, SHARED_KEYS
from sidecar.embedding.model_properties import as_properties
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import BadRequest, InvalidArgument, SidecarError
from tests.random_models import DENSE_WIDTH, WIDTH, first_token, mean_and_dense, random_bert

TABLE = ModelTable()
HUB_FILE = {"hf": {"repo_id": "org/some", "filename": "model.pt"}}
S3_FILE = {"s3": {"Bucket": "models", "Key": "some/model.pt"}}


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({"name": "org/some", "dimensions": 12}, ("sbert", "org/some", 12, 128)),
        ({"name": "org/some", "dimensions": 12, "tokens": 7, "type": "hf"}, ("hf", "org/some", 12, 7)),
        ({"name": "org/some", "dimensions": 12, "type": "sbert_onnx"}, ("sbert_onnx", "org/some", 12, 128)),
        ({"localpath": "/models/a", "dimensions": 12}, ("sbert", "/models/a", 12, 128)),
        (
            {"name": "all-MiniLM-L6-v2", "dimensions": 384},
            ("sbert", "sentence-transformers/all-MiniLM-L6-v2", 384, 256),
        ),
        ({"name": "hf/e5-small-v2"}, ("hf", "intfloat/e5-small-v2", 384, 512)),
        ({"name": "org/some", "dimensions": 12, "type": "onnx"}, ("sbert_onnx", "org/some", 12, 128)),
        ({"url": "https://a/model.zip", "dimensions": 12, "type": "hf"}, ("hf", "", 12, 128)),
        ({"type": "random", "dimensions": 5}, ("random", "", 5, 128)),
        ({"name": "ViT-B/32", "dimensions": 512}, ("clip", "ViT-B-32/openai", 512, 77)),
        ({"name": "ViT-B-32", "dimensions": 512, "type": "clip"}, ("clip", "ViT-B-32/openai", 512, 77)),
        (
            {"name": "ViT-B/32", "dimensions": 512, "type": "open_clip", "url": "https://a/x.pt"},
            ("open_clip", "ViT-B-32", 512, 77),
        ),
        (
            {"name": "ViT-L/14@336px", "dimensions": 768, "type": "open_clip", "localpath": "/a/x.pt"},
            ("open_clip", "ViT-L-14-336", 768, 77),
        ),
        (
            {"name": "ViT-X/99", "dimensions": 768, "type": "open_clip", "localpath": "/a/x.pt"},
            ("open_clip", "ViT-X-99", 768, 77),
        ),
        (
            {"name": "ViT-B-32/laion2b_e16", "dimensions": 512, "type": "open_clip"},
            ("open_clip", "ViT-B-32/laion2b_e16", 512, 77),
        ),
        ({"name": "open_clip/ViT-B-32/laion2b_e16"}, ("open_clip", "ViT-B-32/laion2b_e16", 512, 77)),
        (
            {"name": "hf-hub:org/some", "dimensions": 512, "type": "open_clip"},
            ("open_clip", "hf-hub:org/some", 512, 77),
        ),
        ({"type": "endpoint", "url": "https://a", "name": "m", "dimensions": 8}, ("endpoint", "m", 8, 128)),
    ],
)
def test_properties_describe_a_model(properties: dict[str, Any], wanted: tuple[object, ...]) -> None:
    spec = TABLE.resolve("mine", properties)
    assert spec.name == "mine"
    assert (spec.loader, spec.repository, spec.dimensions, spec.max_tokens) == wanted


def test_model_that_is_not_named_by_its_properties_is_the_hubs_of_its_own_name() -> None:
    spec = TABLE.resolve("org/mine", {"dimensions": 12})
    assert (spec.loader, spec.repository, spec.dimensions) == ("sbert", "org/mine", 12)
    known = TABLE.resolve("hf/e5-small-v2", {"tokens": 64})
    assert (known.loader, known.repository, known.max_tokens) == ("hf", "intfloat/e5-small-v2", 64)


def test_properties_keep_the_prefixes_of_a_model_of_the_table_or_take_their_place() -> None:
    base = {"name": "hf/e5-small-v2", "dimensions": 384}
    assert TABLE.resolve("mine", base).text_query_prefix == "query: "
    changed = TABLE.resolve("mine", {**base, "text_query_prefix": "", "text_chunk_prefix": "p: ", "model_size": 0.5})
    assert (changed.text_query_prefix, changed.text_chunk_prefix, changed.size_gigabytes) == ("", "p: ", 0.5)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"name": "a"}, "'dimensions' is missing; it must be an integer greater than 0"),
        ({"name": "a", "dimensions": 0}, "'dimensions'"),
        ({"name": "a", "dimensions": True}, "'dimensions'"),
        ({"name": "a", "dimensions": "12"}, "'dimensions'"),
        ({"name": "a", "dimensions": 1.5}, "'dimensions'"),
        ({"name": 5, "dimensions": 12}, "'name'"),
        ({"name": "a", "dimensions": 12, "tokens": 0}, "'tokens'"),
        ({"name": "a", "dimensions": 12, "type": "clipp"}, "'type' must be one of sbert, hf"),
        ({"name": "a", "dimensions": 12, "type": "clipp"}, "Did you mean 'clip'?"),
        ({"name": "a", "dimensions": 12, "type": ["sbert"]}, "'type' must be one of"),
        ({"name": "a", "dimensions": 12, "precision": "int4"}, "'precision' must be one of float32, float16, int8"),
        ({"name": "a", "dimensions": 12, "precision": ["int8"]}, "'precision' must be one of float32"),
        ({"name": "a", "dimensions": 12, "matryoshka": 1}, "'matryoshka' must be true or false"),
        ({"name": "a", "dimensions": 12, "mean": [0, 0, 0]}, "'mean' is a property of models of type clip, open_clip"),
        ({"name": "a", "dimensions": 12, "timeout": 5}, "'timeout' is a property of models of type endpoint"),
        ({"name": "a", "dimensions": 12, "localpath": "/a", "url": "https://a"}, "only one of localpath, url"),
        (
            {"type": "hf", "name": "a", "dimensions": 12, "url": "https://a/x.zip"},
            "from one place; leave out 'name' or 'url'",
        ),
        ({"url": "ftp://a/x", "dimensions": 12}, "'url' must be a whole http or https URL"),
        ({"url": "https://user:word@a/x", "dimensions": 12}, "'url' must not have a user or password"),
        ({"url": "https://a:x/", "dimensions": 12}, "'url' is no URL"),
        ({"localpath": 5, "dimensions": 12}, "'localpath' must be a string"),
        ({"model_location": "s3", "dimensions": 12}, "'model_location' must be an object"),
        ({"model_location": {}, "dimensions": 12}, "exactly one of s3, hf"),
        ({"model_location": {**S3_FILE, **HUB_FILE}, "dimensions": 12}, "exactly one of s3, hf"),
        ({"model_location": {"s3": {"Bucket": "a"}}, "dimensions": 12}, "model_location.s3.Key must be a string"),
        ({"model_location": {"s3": "a"}, "dimensions": 12}, "model_location.s3 must be an object with Bucket, Key"),
        ({"model_location": {"hf": {"repo": "a"}}, "dimensions": 12}, "'repo' is not a known key. Known: repo_id"),
        ({"model_location": {**S3_FILE, "auth": True}, "dimensions": 12}, "'auth' is not a known key"),
        ({"model_location": {**S3_FILE, "auth_required": 1}, "dimensions": 12}, "auth_required must be true or false"),
        ({"type": "open_clip", "dimensions": 12, "localpath": "/a"}, "'name' must be the architecture"),
        ({"type": "open_clip", "dimensions": 12, "name": "ViT-B-32"}, "give 'name' as ARCHITECTURE/TAG"),
        ({"type": "clip", "dimensions": 12, "name": "ViT-B/32", "mean": [1, 2]}, "'mean' must be three numbers"),
        (
            {"type": "clip", "dimensions": 12, "name": "ViT-B/32", "std": [1, 2, 0]},
            "'std' must be three numbers above 0",
        ),
        ({"type": "clip", "dimensions": 12, "name": "ViT-B/32", "jit": "no"}, "'jit' must be true or false"),
        ({"type": "clip", "dimensions": 12, "name": "ViT-B/32", "tokenizer": ""}, "'tokenizer' must be 'clip' or"),
        ({"type": "endpoint", "dimensions": 12, "name": "a"}, "'url' must be a string"),
        ({"type": "endpoint", "dimensions": 12, "url": "https://a"}, "'name' must be the model's name at the endpoint"),
        ({"type": "endpoint", "dimensions": 12, "url": "https://a", "name": "a", "protocol": "grpc"}, "openai, tei"),
        (
            {"type": "endpoint", "dimensions": 12, "url": "https://a", "name": "a", "timeout": 0},
            "'timeout' must be seconds",
        ),
        (
            {"type": "endpoint", "dimensions": 12, "url": "https://a", "name": "a", "batch_size": 33},
            "'batch_size' must be 1 to 32",
        ),
        (
            {"type": "endpoint", "dimensions": 12, "url": "https://a", "name": "a", "retries": -1},
            "'retries' must be 0 to 10",
        ),
        ({"name": "a", "dimensions": 12, "model_size": -1}, "'model_size'"),
        ({"name": "a", "dimensions": 12, "text_query_prefix": 1}, "'text_query_prefix'"),
        ({"name": "a", "dimensions": 12, "token": 5}, "'token' is not a known property. Did you mean 'tokens'?"),
        ({"name": "a", "dimensions": 12, "zzz": 5}, "'zzz' is not a known property. Known: dimensions"),
    ],
)
def test_properties_that_break_a_rule_are_refused_by_name(properties: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match="model_properties of model 'mine'") as refused:
        TABLE.resolve("mine", properties)
    assert told in refused.value.message


def test_no_model_needs_dimensions_alone_and_embeds_nothing() -> None:
    spec = TABLE.resolve("no_model", {"dimensions": 4})
    assert (spec.loader, spec.dimensions) == ("no_model", 4)
    with pytest.raises(BadRequest, match="no model"):
        ModelLoading(ConversionCache(Path("unused")), "auto").load(spec)
    with pytest.raises(InvalidArgument, match="'name' is not a known property"):
        TABLE.resolve("no_model", {"dimensions": 4, "name": "a"})


def test_the_fingerprint_changes_with_what_changes_vectors_and_with_nothing_else() -> None:
    properties: dict[str, Any] = {"name": "org/some", "dimensions": 12}
    one = TABLE.resolve("one", properties).fingerprint
    assert TABLE.resolve("two", {**properties, "text_query_prefix": "q"}).fingerprint == one
    others: list[dict[str, Any]] = [{"tokens": 5}, {"dimensions": 13}, {"type": "hf"}, {"name": "org/other"}]
    assert len({one, *(TABLE.resolve("one", {**properties, **other}).fingerprint for other in others)}) == 5


def test_options_and_location_are_kept_as_they_make_other_vectors() -> None:
    properties: dict[str, Any] = {"type": "open_clip", "name": "ViT-B-32", "dimensions": 512, "url": "https://a/x.pt"}
    spec = TABLE.resolve("mine", {**properties, "mean": [0.1, 0.2, 0.3], "tokenizer": "clip", "jit": True})
    assert orjson.loads(spec.location) == {"url": "https://a/x.pt"}
    assert (spec.option("mean"), spec.option("tokenizer"), spec.option("jit")) == ([0.1, 0.2, 0.3], "clip", None)
    assert TABLE.resolve("mine", properties).fingerprint != spec.fingerprint


def test_precision_is_known_by_both_of_its_spellings_and_kept_from_the_table() -> None:
    base = {"type": "open_clip", "name": "ViT-B-32/openai", "dimensions": 512}
    assert TABLE.resolve("mine", {**base, "precision": "fp16"}).precision == "float16"
    assert TABLE.resolve("mine", {**base, "precision": "fp32"}).precision == "float32"
    assert TABLE.resolve("mine", base).precision == "float32"
    assert TABLE.resolve("mine", {"name": "onnx16/openai/ViT-L/14"}).precision == "float16"
    assert TABLE.resolve("mine", {"name": "onnx16/openai/ViT-L/14", "precision": "float32"}).precision == "float32"


def test_shorter_vectors_are_for_models_that_are_said_to_allow_them(tmp_path: Path) -> None:
    described = {"type": "sbert", "name": "sentence-transformers/all-MiniLM-L6-v2", "dimensions": 100}
    loading = ModelLoading(ConversionCache(tmp_path), "torch")
    with pytest.raises(InvalidArgument, match="gives vectors of 384 dimensions"):
        loading.load(TABLE.resolve("mine", described))
    loader = loading.load(TABLE.resolve("mine", {**described, "matryoshka": True}))
    assert loader.encode_text(["a"]).shape == (1, 100)


DESCRIBED: list[dict[str, Any]] = [
    {"name": "org/some", "dimensions": 12, "tokens": 7, "precision": "int8", "model_size": 0.5},
    {"name": "hf/e5-small-v2"},
    {"type": "hf", "url": "https://a/model.zip", "dimensions": 12},
    {"type": "sbert", "localpath": "/a/model.tar.gz", "dimensions": 12, "matryoshka": True},
    {"type": "hf", "model_location": {**HUB_FILE, "auth_required": True}, "dimensions": 12},
    {"type": "open_clip", "name": "ViT-B-32", "model_location": S3_FILE, "dimensions": 512, "mean": [0, 0.5, 1]},
    {"name": "ViT-L/14@336px"},
    {"name": "onnx16/open_clip/ViT-B-32/laion2b_e16"},
    {"name": "fp16/ViT-B/32"},
    {"type": "random", "dimensions": 5, "text_query_prefix": "q: "},
    {"type": "endpoint", "url": "https://a", "name": "m", "dimensions": 8, "protocol": "tei", "timeout": 1.5},
]


@pytest.mark.parametrize("properties", DESCRIBED)
def test_written_properties_describe_the_same_model_again(properties: dict[str, Any]) -> None:
    spec = TABLE.resolve("mine", properties)
    assert TABLE.resolve("mine", as_properties(spec)).identity == spec.identity


@pytest.mark.parametrize("name", TABLE.names())
def test_written_properties_of_the_tables_models_describe_them(name: str) -> None:
    spec = TABLE.resolve(name)
    assert TABLE.resolve("mine", as_properties(spec)).identity == spec.identity


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.floats() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(["s3", "hf", "Key", "x"]), values),
    max_leaves=4,
)
_KEYS = st.sampled_from(sorted({*LOCATION_KEYS, *(key for keys in OPTION_KEYS.values() for key in keys), *SHARED_KEYS}))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(properties=st.dictionaries(_KEYS, _VALUES), kind=st.sampled_from(sorted(LOADERS)))
def test_any_properties_are_a_model_or_an_error_of_ours(properties: dict[str, Any], kind: str) -> None:
    try:
        spec = TABLE.resolve("mine", {"type": kind, "dimensions": 3, **properties})
    except SidecarError as error:
        assert isinstance(error, InvalidArgument)
        assert error.message
    else:
        assert TABLE.resolve("mine", as_properties(spec)).identity == spec.identity


def test_dimensions_are_known_from_the_table_and_from_a_models_small_files(tmp_path: Path) -> None:
    dense = random_bert(tmp_path / "dense", mean_and_dense)
    first = random_bert(tmp_path / "first", first_token)
    for path in (*dense.rglob("*.safetensors"), *first.rglob("*.safetensors")):
        path.unlink()

    def known(**properties: Any) -> int | None:
        return known_dimensions(TABLE.resolve("mine", {"dimensions": 5, **properties}))

    assert known(name="hf/e5-large") == 1024
    assert known(name="sentence-transformers/all-MiniLM-L6-v2") == 384
    assert known(localpath=str(dense)) == DENSE_WIDTH
    assert known(localpath=str(dense), type="hf") == WIDTH
    assert known(localpath=str(first)) == WIDTH
    assert known(name="ViT-L/14@336px") == 768
    assert known(type="open_clip", name="ViT-H-14", url="https://a/x.pt") == 1024
    assert known(type="open_clip", name="no-such", url="https://a/x.pt") is None
    assert known(name="org/nobody-has-it") is None
    assert known(type="random") is None
    assert known(type="hf", url="https://a/x.zip") is None


def test_dimensions_of_a_clip_folder_are_known_from_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": {"embed_dim": 64}}', "utf-8")
    spec = TABLE.resolve("mine", {"type": "open_clip", "name": "x", "localpath": str(tmp_path), "dimensions": 5})
    assert known_dimensions(spec) == 64
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": "broken"', "utf-8")
    assert known_dimensions(spec) is None
