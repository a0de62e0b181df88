"""The settings of an index, as its creator gave them over the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_MODEL = "hf/all_datasets_v4_MiniLM-L6"

Properties = Mapping[str, Any]


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
    """How vectors are indexed: the algorithm's name, its engine, the space and HNSW's two numbers."""

    name: str = "hnsw"
    space_type: str = "cosinesimil"
    engine: str = "lucene"
    ef_construction: int = 128
    m: int = 16


@dataclass(frozen=True)
class IndexSettings:
    """The settings of one index, complete: no default is left open.

    The search model embeds queries and the model documents; `*_properties` describe a model that is not in
    the table.
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

    def to_wire(self) -> dict[str, Any]:
        """The object that `GET /indexes/{index}/settings` answers."""
        text, image, ann = self.text_preprocessing, self.image_preprocessing, self.ann_parameters
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
            "ann_parameters": {
                "name": ann.name,
                "space_type": ann.space_type,
                "engine": ann.engine,
                "parameters": {"ef_construction": ann.ef_construction, "m": ann.m},
            },
            "search_model": self.search_model,
        }
        for key in ("model_properties", "search_model_properties"):
            properties: Properties | None = getattr(self, key)
            if properties is not None:
                defaults[key] = dict(properties)
        return {
            "index_defaults": defaults,
            "number_of_shards": self.number_of_shards,
            "number_of_replicas": self.number_of_replicas,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> IndexSettings:
        """Undo `to_wire`. Raises: KeyError, TypeError for anything else."""
        defaults = wire["index_defaults"]
        text, image, ann = (
            dict(defaults[part]) for part in ("text_preprocessing", "image_preprocessing", "ann_parameters")
        )
        parameters = ann["parameters"]
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
            ann_parameters=AnnParameters(
                name=ann["name"],
                space_type=ann["space_type"],
                engine=ann["engine"],
                ef_construction=parameters["ef_construction"],
                m=parameters["m"],
            ),
            number_of_shards=wire["number_of_shards"],
            number_of_replicas=wire["number_of_replicas"],
        )
