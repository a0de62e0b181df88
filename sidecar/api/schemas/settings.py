"""The settings that a client sends with a new index: parsed, checked and completed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sidecar.api.schemas.ann import check_ann
from sidecar.broken_rules import broken_rule
from sidecar.embedding.media.patching import check_patch_method
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_field_name
from sidecar.opensearch.client import ClusterFacts
from sidecar.opensearch.index_settings import (
    DEFAULT_MODEL,
    AnnParameters,
    DataType,
    FieldModel,
    ImagePreprocessing,
    IndexSettings,
    TextPreprocessing,
)

MAX_SHARDS = 1024  # OpenSearch's own limit
SPLIT_METHODS = ("sentence", "word", "character", "passage")

_PROPERTIES = ("model_properties", "search_model_properties")


@dataclass(frozen=True)
class SettingsLimits:
    """The operator's bounds; the fields are the settings `max_replicas` and `max_ef_construction`."""

    max_replicas: int = 1
    max_ef_construction: int = 4096


def _check_is_json(value: Any) -> Any:
    try:
        orjson.dumps(value)
    except TypeError as error:
        raise ValueError(f"can't be stored: {error}") from error
    return value


_Properties = Annotated[dict[str, Any], AfterValidator(_check_is_json)]


_NULL = {"type": "null"}


def _allow_nulls(schema: dict[str, Any]) -> None:
    """What may be left out may be null, too; but for `index_defaults`, which is an object where it is there."""
    for key, value in schema.get("properties", {}).items():
        if key not in schema.get("required", ()) and key != "index_defaults":
            default = {"default": value.pop("default")} if "default" in value else {}
            kinds = [kind for kind in value.get("anyOf", [value]) if kind != _NULL]
            schema["properties"][key] = {"anyOf": [*map(_with_null_entries, kinds), _NULL], **default}


def _with_null_entries(schema: dict[str, Any]) -> dict[str, Any]:
    entries = schema.get("additionalProperties")
    if not isinstance(entries, dict):
        return schema
    return schema | {"additionalProperties": {"anyOf": [entries, _NULL]}}


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", protected_namespaces=(), json_schema_extra=_allow_nulls)


class _Open(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=(), json_schema_extra=_allow_nulls)
    __pydantic_extra__: dict[str, Annotated[Any, AfterValidator(_check_is_json)]] = Field(init=False)


class TextPreprocessingBody(_Open):
    """How texts are split into chunks."""

    split_length: int = Field(default=2, ge=1)
    split_overlap: int = Field(default=0, ge=0)
    split_method: str = Field(default="sentence", json_schema_extra={"enum": list(SPLIT_METHODS)})
    override_text_chunk_prefix: str | None = None
    override_text_query_prefix: str | None = None


class ImagePreprocessingBody(_Open):
    """How images are cut into chunks."""

    patch_method: str | None = None


class HnswParametersBody(_Closed):
    """The numbers of HNSW's graphs, and the encoder of the vectors in them."""

    ef_construction: int = Field(default=128, ge=1)
    m: int = Field(default=16, ge=2, le=100)
    encoder: _Properties | None = None


class AnnParametersBody(_Closed):
    """How vectors are indexed."""

    name: str = Field(default="hnsw", json_schema_extra={"const": "hnsw"})
    space_type: str = "cosinesimil"
    engine: str = "lucene"
    data_type: DataType = "float"
    parameters: HnswParametersBody = Field(default_factory=HnswParametersBody)


class FieldModelBody(_Closed):
    """The model of one field."""

    model: str
    model_properties: _Properties | None = None


class IndexDefaultsBody(_Closed):
    """The models of an index, and what becomes of texts, images and vectors."""

    treat_urls_and_pointers_as_images: bool = False
    model: str = DEFAULT_MODEL
    model_properties: _Properties | None = None
    search_model: str | None = None
    search_model_properties: _Properties | None = None
    normalize_embeddings: bool = True
    text_preprocessing: TextPreprocessingBody = Field(default_factory=TextPreprocessingBody)
    image_preprocessing: ImagePreprocessingBody = Field(default_factory=ImagePreprocessingBody)
    ann_parameters: AnnParametersBody = Field(default_factory=AnnParametersBody)
    field_models: dict[str, FieldModelBody] = Field(default_factory=dict)


class IndexSettingsBody(_Closed):
    """The settings of a new index; what is null or left out takes its default."""

    index_defaults: IndexDefaultsBody = Field(default_factory=IndexDefaultsBody)
    number_of_shards: int = Field(default=3, ge=1, le=MAX_SHARDS)
    number_of_replicas: int = Field(default=0, ge=0)


def parse_index_settings(body: dict[str, Any] | None, *, limits: SettingsLimits, facts: ClusterFacts) -> IndexSettings:
    """The settings of a new index: the client's over the defaults.

    A null counts as not given, save inside model properties. Whether the models exist, and their dimensions,
    is for the embedding side to check, after this. A body that is not an object is for the caller to refuse
    (422).
    Raises: InvalidArgument, naming the key, the rule and, for an unknown key, the nearest known one; InvalidFieldName.
    """
    given = _without_nulls(body or {})
    if body and body.get("index_defaults", {}) is None:
        raise InvalidArgument("index_defaults must be an object, not null. Leave it out to take the defaults.")
    defaults = given.get("index_defaults", {})
    if isinstance(defaults, dict):
        _check_models_go_together(defaults)
    try:
        parsed = IndexSettingsBody.model_validate(given)
    except ValidationError as error:
        raise InvalidArgument(_message_of(error)) from error
    _check_choices(parsed, limits)
    _check_field_names(parsed.index_defaults)
    settings = _complete(parsed)
    check_ann(settings.ann_parameters, facts)
    return settings


def _without_nulls(value: Any) -> Any:
    """The value without nulls in its objects, at any depth but that of model properties."""
    if not isinstance(value, dict):
        return value
    return {
        key: entry if key in _PROPERTIES else _without_nulls(entry) for key, entry in value.items() if entry is not None
    }


def _check_models_go_together(defaults: dict[str, Any]) -> None:
    for key, needed in (
        ("search_model", "model"),
        ("model_properties", "model"),
        ("search_model_properties", "search_model"),
    ):
        if key in defaults and needed not in defaults:
            raise InvalidArgument(f"index_defaults.{key} needs index_defaults.{needed}: give both, or leave out {key}.")


def _check_choices(body: IndexSettingsBody, limits: SettingsLimits) -> None:
    """The rules that need a list of choices, another value, or the operator's bounds."""
    defaults = body.index_defaults
    text, ann = defaults.text_preprocessing, defaults.ann_parameters
    _check_is_one_of("text_preprocessing.split_method", text.split_method, SPLIT_METHODS)
    try:
        check_patch_method(defaults.image_preprocessing.patch_method)
    except InvalidArgument as error:
        raise InvalidArgument(f"index_defaults.image_preprocessing: {error.message}") from error
    _check_is_one_of("ann_parameters.name", ann.name, ("hnsw",))
    if text.split_overlap >= text.split_length:
        raise InvalidArgument(
            f"index_defaults.text_preprocessing.split_overlap is {text.split_overlap}; it must be less than "
            f"split_length, which is {text.split_length}."
        )
    for name, value, limit in (
        ("number_of_replicas", body.number_of_replicas, limits.max_replicas),
        ("index_defaults.ann_parameters.parameters.ef_construction", ann.parameters.ef_construction,
         limits.max_ef_construction),
    ):  # fmt: skip
        if value > limit:
            raise InvalidArgument(f"{name} is {value}; the limit is {limit}.")


def _check_field_names(defaults: IndexDefaultsBody) -> None:
    for field in defaults.field_models:
        if check_field_name(field) == "_id":
            raise InvalidArgument("index_defaults.field_models: '_id' is not embedded, so that it can't have a model.")


def _check_is_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(choice or '""' for choice in choices)
        raise InvalidArgument(
            f"index_defaults.{name} is {value!r}; it must be one of: {listed}.{_hint(value, choices)}"
        )


def _complete(body: IndexSettingsBody) -> IndexSettings:
    """The settings with the search model filled in: where none is given, the model embeds queries too."""
    defaults = body.index_defaults
    text, image, ann = defaults.text_preprocessing, defaults.image_preprocessing, defaults.ann_parameters
    search_model = defaults.model if defaults.search_model is None else defaults.search_model
    search_properties = defaults.search_model_properties
    if search_properties is None and search_model == defaults.model:
        search_properties = defaults.model_properties
    return IndexSettings(
        model=defaults.model,
        model_properties=defaults.model_properties,
        search_model=search_model,
        search_model_properties=search_properties,
        normalize_embeddings=defaults.normalize_embeddings,
        treat_urls_and_pointers_as_images=defaults.treat_urls_and_pointers_as_images,
        text_preprocessing=TextPreprocessing(
            split_length=text.split_length,
            split_overlap=text.split_overlap,
            split_method=text.split_method,
            override_text_chunk_prefix=text.override_text_chunk_prefix,
            override_text_query_prefix=text.override_text_query_prefix,
            others=text.model_extra or {},
        ),
        image_preprocessing=ImagePreprocessing(patch_method=image.patch_method, others=image.model_extra or {}),
        ann_parameters=AnnParameters(
            name=ann.name,
            space_type=ann.space_type,
            engine=ann.engine,
            ef_construction=ann.parameters.ef_construction,
            m=ann.parameters.m,
            data_type=ann.data_type,
            encoder=ann.parameters.encoder,
        ),
        number_of_shards=body.number_of_shards,
        number_of_replicas=body.number_of_replicas,
        field_models={
            field: FieldModel(own.model, own.model_properties) for field, own in defaults.field_models.items()
        },
    )


def _message_of(error: ValidationError) -> str:
    """The first thing that is wrong, as key, rule and given value."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        parent = ".".join(path[:-1])
        known = _known_keys(path[:-1])
        where = f"index settings object '{parent}'" if parent else "index settings"
        hint = _hint(path[-1], known)
        return f"{path[-1]!r} is not a key of the {where}.{hint} Known keys: {', '.join(known)}."
    given = repr(first["input"])
    return f"{name}: {broken_rule(first)}; given: {given if len(given) <= 100 else given[:100] + '…'}."


def _known_keys(path: list[str]) -> tuple[str, ...]:
    model: type[BaseModel] = IndexSettingsBody
    parts = iter(path)
    for part in parts:
        annotation = model.model_fields[part].annotation
        if get_origin(annotation) is dict:
            # The next part of the path is a name of the client's own.
            annotation, _ = get_args(annotation)[1], next(parts, None)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        model = annotation
    return tuple(model.model_fields)


def _hint(value: str, choices: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(value, choices, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
