"""The shapes of answers, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, with_config
from typing_extensions import NotRequired, TypedDict

from sidecar.opensearch.index_settings import DataType

closed = with_config({"extra": "forbid"})
"""For objects that have no other keys."""
with_others = with_config({"extra": "allow"})
"""For objects that have a client's or the cluster's own keys too."""

Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0)]
Health = Literal["green", "yellow", "red"]
Properties = dict[str, Any]


@closed
class Telemetry(TypedDict):
    """What the request spent its time on, where it asked for it with ``telemetry=true``."""

    timesMs: NotRequired[dict[str, Milliseconds | list[Milliseconds]]]


class Answer(TypedDict):
    """What every JSON object may hold."""

    telemetry: NotRequired[Telemetry]


@closed
class Greeting(Answer):
    """The server runs; ``version`` is that of the API's contract."""

    message: str
    version: str


@closed
class BackendHealth(TypedDict):
    """The cluster's health."""

    status: Health
    storage_is_available: bool


@closed
class HealthAnswer(Answer):
    """The worst of the sidecar's and the cluster's health."""

    status: Health
    backend: BackendHealth


@closed
class Readiness(Answer):
    """Whether requests can be served, and why not; and what fails although they can."""

    ready: bool
    reasons: list[str]
    warnings: NotRequired[list[str]]


@closed
class ProcessorUse(Answer):
    """The use of the machine's processors and memory, as texts with their units."""

    cpu_usage_percent: str
    memory_used_percent: str
    memory_used_gb: str


@closed
class CudaDevice(TypedDict):
    """One graphics card."""

    device_id: Count
    device_name: str
    memory_used: str
    total_memory: str


@closed
class CudaDevices(Answer):
    """The graphics cards that models can run on."""

    cuda_devices: list[CudaDevice]


@closed
class IndexName(TypedDict):
    """An index by its name."""

    index_name: str


@closed
class IndexList(Answer):
    """Indexes."""

    results: list[IndexName]


@closed
class IndexCreated(Answer):
    """The index is there."""

    acknowledged: Literal[True]
    shards_acknowledged: Literal[True]
    index: str


@closed
class Acknowledged(Answer):
    """It is done."""

    acknowledged: Literal[True]


@with_others
class TextSettings(TypedDict):
    """How texts are split into chunks."""

    split_length: int
    split_overlap: int
    split_method: str
    override_text_chunk_prefix: str | None
    override_text_query_prefix: str | None


@with_others
class ImageSettings(TypedDict):
    """How images are cut into chunks."""

    patch_method: str | None


@closed
class HnswSettings(TypedDict):
    """The numbers of HNSW's graphs."""

    ef_construction: int
    m: int
    encoder: NotRequired[Properties]


@closed
class AnnSettings(TypedDict):
    """How vectors are indexed."""

    name: str
    space_type: str
    engine: str
    data_type: NotRequired[DataType]
    parameters: HnswSettings


@closed
class FieldModelSettings(TypedDict):
    """The model of one field."""

    model: str
    model_properties: NotRequired[Properties]


@closed
class IndexDefaults(TypedDict):
    """The models of an index, and what becomes of texts, images and vectors."""

    treat_urls_and_pointers_as_images: bool
    model: str
    model_properties: NotRequired[Properties]
    search_model: str
    search_model_properties: NotRequired[Properties]
    normalize_embeddings: bool
    text_preprocessing: TextSettings
    image_preprocessing: ImageSettings
    ann_parameters: AnnSettings
    field_models: NotRequired[dict[str, FieldModelSettings]]


@closed
class AliasList(Answer):
    """The other names of an index."""

    aliases: list[str]


@closed
class AliasPut(Answer):
    """The alias stands for the index; ``movedFrom`` is the one that it stood for before."""

    acknowledged: Literal[True]
    alias: str
    index: str
    movedFrom: str | None


@closed
class PointInTimeOpened(Answer):
    """The id by which searches name the point in time."""

    pointInTime: str
    keepAlive: str


@closed
class PointInTimeClosed(Answer):
    """Whether there was something to forget."""

    succeeded: bool


@closed
class SettingsAnswer(Answer):
    """An index's settings, complete."""

    index_defaults: IndexDefaults
    number_of_shards: int
    number_of_replicas: int


@closed
class Stats(Answer):
    """What a search can find."""

    numberOfDocuments: Count
    numberOfVectors: Count


@closed
class Shards(TypedDict):
    """Copies of shards that took part."""

    total: Count
    successful: Count
    failed: Count


@closed
class Refreshed(Answer):
    """Searches see what was written."""

    _shards: Shards


@closed
class EjectedModel(Answer):
    """The model is out of memory."""

    result: Literal["success"]
    message: str


@closed
class LoadedModel(TypedDict):
    """A model, and the device it is on."""

    model_name: str
    model_device: str


@closed
class LoadedModels(Answer):
    """The models in memory."""

    models: list[LoadedModel]
