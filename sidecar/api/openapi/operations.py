"""Every route of the API, by the name of its view: the table that `GET /openapi.json` is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import WithJsonSchema

from sidecar.api.openapi import answers, document_answers
from sidecar.api.openapi.operation import Operation, Parameter, json_of
from sidecar.api.schemas.documents import AddDocumentsBody, IdsBody, LegacyBody
from sidecar.api.schemas.embeddings import EmbeddingsBody
from sidecar.api.schemas.search import BulkSearchBody, SearchBody
from sidecar.api.schemas.settings import IndexSettingsBody
from sidecar.errors import (
    BadRequest,
    DiskFull,
    DocumentNotFound,
    EndpointError,
    HardwareUnavailable,
    IllegalRequestedDocCount,
    IndexAlreadyExists,
    IndexNotFound,
    InvalidArgument,
    InvalidDocumentId,
    InvalidFieldName,
    InvalidIndexName,
    MediaError,
    ModelCacheManagementError,
    ModelLoadError,
    ModelNotInCache,
    NotASidecarIndex,
    OpenSearchError,
    OpenSearchRejected,
    OpenSearchTimeout,
    OpenSearchUnreachable,
    TooManyFields,
    TooManyRequests,
    UnknownModel,
)

_Device = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^(cpu|cuda[0-9]*)$"})]
Text = Annotated[str, WithJsonSchema({"type": "string"})]

_CLUSTER = (OpenSearchError, OpenSearchUnreachable, OpenSearchTimeout, OpenSearchRejected)
_INDEX = (*_CLUSTER, IndexNotFound, NotASidecarIndex)
_MODEL = (
    *(HardwareUnavailable, InvalidArgument, BadRequest, UnknownModel, MediaError),
    *(ModelLoadError, EndpointError, ModelCacheManagementError, TooManyRequests),
)

_DEVICE = Parameter("device", "Where models run: `cpu`, `cuda`, `cuda1`; else the operator's choice.", _Device)
_REFRESH = Parameter("refresh", "Let searches see the change when the answer comes.", bool)
_FACETS = Parameter("expose_facets", "Not supported by this version; must be false.", bool)
_LEGACY = (
    Parameter("non_tensor_fields", "Of an array body: the fields that are not embedded.", list[str]),
    Parameter("use_existing_tensors", "Of an array body: images that have not changed keep their embeddings.", bool),
    Parameter("image_download_headers", "Of an array body: JSON, as the key `imageDownloadHeaders`."),
    Parameter("model_auth", "Of an array body: JSON, as the key `modelAuth`."),
    Parameter("mappings", "Of an array body: JSON, as the key `mappings`."),
)

PATH_PARAMETERS = {
    "index": "The name of an index.",
    "document_id": "The id of a document.",
    "name": "The name of a model.",
    "file": "The name of a file.",
}
"""What stands in paths, whatever the route."""

OPERATIONS: Mapping[str, Operation] = {
    "operations.greet": Operation({200: json_of(answers.Greeting)}),
    "operations.health": Operation({200: json_of(answers.HealthAnswer)}, errors=_CLUSTER),
    "operations.ready": Operation({200: json_of(answers.Readiness), 503: json_of(answers.Readiness)}),
    "operations.metrics": Operation({200: {"text/plain": Text}}),
    "operations.show_processor": Operation({200: json_of(answers.ProcessorUse)}),
    "operations.show_cuda_devices": Operation({200: json_of(answers.CudaDevices)}, errors=(HardwareUnavailable,)),
    "documentation.show_openapi": Operation({200: json_of(dict[str, object])}),
    "documentation.show_page": Operation({200: {"text/html": Text}}),
    "documentation.show_file": Operation(
        {200: {"text/css": Text, "text/javascript": Text, "image/png": Annotated[bytes, WithJsonSchema({})]}},
    ),
    "indexes.list_indexes": Operation({200: json_of(answers.IndexList)}, errors=_CLUSTER),
    "indexes.create_index": Operation(
        {200: json_of(answers.IndexCreated)},
        body=json_of(IndexSettingsBody | None),
        needs_body=False,
        example={"index_defaults": {"model": "random/small"}, "number_of_shards": 1},
        errors=(*_CLUSTER, InvalidIndexName, InvalidArgument, InvalidFieldName, UnknownModel, IndexAlreadyExists),
    ),
    "indexes.delete_index": Operation({200: json_of(answers.Acknowledged)}, errors=_INDEX),
    "indexes.read_settings": Operation({200: json_of(answers.SettingsAnswer)}, errors=_INDEX),
    "indexes.read_stats": Operation({200: json_of(answers.Stats)}, errors=_INDEX),
    "indexes.read_index_health": Operation({200: json_of(answers.HealthAnswer)}, errors=_CLUSTER),
    "indexes.refresh": Operation({200: json_of(answers.Refreshed)}, errors=_INDEX),
    "documents.add_documents": Operation(
        {200: json_of(document_answers.AddedDocuments)},
        parameters=(_REFRESH, _DEVICE, *_LEGACY),
        body=json_of(AddDocumentsBody | LegacyBody),
        example={"documents": [{"_id": "1", "title": "A title", "year": 1984}], "tensorFields": ["title"]},
        errors=(*_INDEX, *_MODEL, InvalidFieldName, DiskFull, TooManyFields),
    ),
    "documents.get_document": Operation(
        {200: json_of(document_answers.DocumentAnswer)},
        parameters=(_FACETS,),
        errors=(*_INDEX, InvalidArgument, DocumentNotFound, InvalidDocumentId),
    ),
    "documents.get_documents": Operation(
        {200: json_of(document_answers.FoundDocuments)},
        parameters=(_FACETS,),
        body=json_of(IdsBody),
        example=["1", "2"],
        errors=(*_INDEX, InvalidArgument, InvalidDocumentId, IllegalRequestedDocCount),
    ),
    "documents.delete_documents": Operation(
        {200: json_of(document_answers.DeletedDocuments)},
        parameters=(_REFRESH,),
        body=json_of(IdsBody),
        example=["1", "2"],
        errors=(*_INDEX, InvalidArgument, InvalidDocumentId, DiskFull),
    ),
    "search.search_index": Operation(
        {200: json_of(document_answers.SearchAnswer)},
        parameters=(_DEVICE,),
        body=json_of(SearchBody),
        example={"q": "a title", "filter": "year:<2000", "limit": 5},
        errors=(*_INDEX, *_MODEL, InvalidFieldName, IllegalRequestedDocCount),
    ),
    "search.search_indexes": Operation(
        {200: json_of(document_answers.BulkSearchAnswer)},
        parameters=(_DEVICE,),
        body=json_of(BulkSearchBody),
        example={"queries": [{"index": "my-index", "q": "a title"}, {"index": "my-index", "q": {"a": 1, "b": -0.5}}]},
        errors=(*_INDEX, *_MODEL, InvalidFieldName, IllegalRequestedDocCount),
    ),
    "models.list_models": Operation({200: json_of(answers.LoadedModels)}),
    "models.eject_model": Operation(
        {200: json_of(answers.EjectedModel)},
        parameters=(
            Parameter("model_name", "The model's name, as GET /models has it.", is_required=True),
            Parameter("model_device", "The device it is on, as GET /models has it.", is_required=True),
        ),
        errors=(ModelNotInCache,),
    ),
    "embeddings.create_embeddings": Operation(
        {200: json_of(document_answers.EmbeddingsAnswer)},
        parameters=(_DEVICE,),
        body=json_of(EmbeddingsBody),
        example={"input": ["A text", {"text": "another"}], "model": "random/small"},
        errors=_MODEL,
    ),
    "embeddings.list_models": Operation({200: json_of(document_answers.ModelList)}),
    "embeddings.show_model": Operation({200: json_of(document_answers.ModelAnswer)}, errors=(UnknownModel,)),
}
"""View -> what it takes, gives and fails with. What it does is told by its docstring."""
