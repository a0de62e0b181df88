"""The settings of an index, as its creator gave them over the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_MODEL = "hf/all_datasets_v4_MiniLM-L6"

Properties = Mapping[str, Any]
DataType = Literal["float", "byte"]


@dataclass(frozen=True)
class TextPreprocessing:
    """How texts are split into chunks; `others` are keys that clients may store but that do nothing."""

    split_length: int = 2
    split_overlap: int = 0
    split_method: str = "sentence"
    override_text_chunk_prefix: str | None = None
    override_text_query_prefix: str | None = None
    others: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class ImagePreprocessing:
    """How images are cut into chunks: not at all, where there is no patch method."""

    patch_method: str | None = None
    others: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class AnnParameters:
    """How vectors are indexed: the algorithm's name, its engine, the space and HNSW's two numbers.

    `data_type` is what a number of a stored vector is: `byte` takes a quarter of `float`'s room. `encoder` is the
    k-NN plugin's own object, as `{"name": "sq"}`, by which the engine makes vectors smaller itself; None for none.
    """

    name: str = "hnsw"
    space_type: str = "cosinesimil"
    engine: str = "lucene"
    ef_construction: int = 128
    m: int = 16
    data_type: DataType = "float"
    encoder: Properties | None = None

    @property
    def stores_bytes(self) -> bool:
        """True where the numbers of vectors are whole ones of one byte."""
        return self.data_type == "byte"

    def to_wire(self) -> dict[str, Any]:
        """The object `ann_parameters`; what is at a default that clients do not know is left out."""
        parameters: dict[str, Any] = {"ef_construction": self.ef_construction, "m": self.m}
        if self.encoder is not None:
            parameters["encoder"] = dict(self.encoder)
        wire: dict[str, Any] = {"name": self.name, "space_type": self.space_type, "engine": self.engine}
        if self.data_type != "float":
            wire["data_type"] = self.data_type
        return {**wire, "parameters": parameters}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> AnnParameters:
        """Undo `to_wire`. Raises: KeyError."""
        parameters = wire["parameters"]
        return cls(
            name=wire["name"],
            space_type=wire["space_type"],
            engine=wire["engine"],
            ef_construction=parameters["ef_construction"],
            m=parameters["m"],
            data_type=wire.get("data_type", "float"),
            encoder=parameters.get("encoder"),
        )


@dataclass(frozen=True)
class FieldModel:
    """The model of a field; `model_properties` describe one that is not in the table."""

    model: str
    model_properties: Properties | None = None

    def to_wire(self) -> dict[str, Any]:
        """The object of one field in `field_models`."""
        if self.model_properties is None:
            return {"model": self.model}
        return {"model": self.model, "model_properties": dict(self.model_properties)}


@dataclass(frozen=True)
class IndexSettings:
    """The settings of one index, complete: no default is left open.

    The search model embeds queries and the model documents; `*_properties` describe a model that is not in
    the table. `field_models` have the fields whose documents and queries another model embeds.
    """

    model: str = DEFAULT_MODEL
    model_properties: Properties | None = None
    search_model: str = DEFAULT_MODEL
    search_model_properties: Properties | None = None
    normalize_embeddings: bool = True
    treat_urls_and_pointers_as_images: bool = False
    text_preprocessing: TextPreprocessing = field(default_factory=TextPreprocessing)
    image_preprocessing: ImagePreprocessing = field(default_factory=ImagePreprocessing)
    ann_parameters: AnnParameters = field(default_factory=AnnParameters)
    number_of_shards: int = 3
    number_of_replicas: int = 0
    field_models: Mapping[str, FieldModel] = field(default_factory=dict)

    def model_of(self, field: str) -> FieldModel:
        """The model that embeds the field's documents: its own, or else the index's."""
        return self.field_models.get(field) or FieldModel(self.model, self.model_properties)

    def search_model_of(self, field: str) -> FieldModel:
        """The model that embeds queries for the field: its own, or else the index's search model."""
        return self.field_models.get(field) or FieldModel(self.search_model, self.search_model_properties)

    def to_wire(self) -> dict[str, Any]:
        """The object that `GET /indexes/{index}/settings` answers."""
        text, image = self.text_preprocessing, self.image_preprocessing
        defaults: dict[str, Any] = {
            "treat_urls_and_pointers_as_images": self.treat_urls_and_pointers_as_images,
            "model": self.model,
            "normalize_embeddings": self.normalize_embeddings,
            "text_preprocessing": {
                "split_length": text.split_length,
                "split_overlap": text.split_overlap,
                "split_method": text.split_method,
                "override_text_chunk_prefix": text.override_text_chunk_prefix,
                "override_text_query_prefix": text.override_text_query_prefix,
                **text.others,
            },
            "image_preprocessing": {"patch_method": image.patch_method, **image.others},
            "ann_parameters": self.ann_parameters.to_wire(),
            "search_model": self.search_model,
        }
        for key in ("model_properties", "search_model_properties"):
            properties: Properties | None = getattr(self, key)
            if properties is not None:
                defaults[key] = dict(properties)
        if self.field_models:
            defaults["field_models"] = {field: model.to_wire() for field, model in self.field_models.items()}
        return {
            "index_defaults": defaults,
            "number_of_shards": self.number_of_shards,
            "number_of_replicas": self.number_of_replicas,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> IndexSettings:
        """Undo `to_wire`. Raises: KeyError, TypeError for anything else."""
        defaults = wire["index_defaults"]
        text, image = dict(defaults["text_preprocessing"]), dict(defaults["image_preprocessing"])
        return cls(
            model=defaults["model"],
            model_properties=defaults.get("model_properties"),
            search_model=defaults["search_model"],
            search_model_properties=defaults.get("search_model_properties"),
            normalize_embeddings=defaults["normalize_embeddings"],
            treat_urls_and_pointers_as_images=defaults["treat_urls_and_pointers_as_images"],
            text_preprocessing=TextPreprocessing(
                split_length=text.pop("split_length"),
                split_overlap=text.pop("split_overlap"),
                split_method=text.pop("split_method"),
                override_text_chunk_prefix=text.pop("override_text_chunk_prefix"),
                override_text_query_prefix=text.pop("override_text_query_prefix"),
                others=text,
            ),
            image_preprocessing=ImagePreprocessing(patch_method=image.pop("patch_method"), others=image),
            ann_parameters=AnnParameters.from_wire(defaults["ann_parameters"]),
            number_of_shards=wire["number_of_shards"],
            number_of_replicas=wire["number_of_replicas"],
            field_models={
                field: FieldModel(own["model"], own.get("model_properties"))
                for field, own in defaults.get("field_models", {}).items()
            },
        )
