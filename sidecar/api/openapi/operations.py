"""Every route of the API, by the name of its view: the table that `GET /openapi.json` is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import WithJsonSchema

from sidecar.api.answers import NDJSON
from sidecar.api.openapi import answers, document_answers, field_answers, inspection_answers
from sidecar.api.openapi.operation import JSON, Operation, Parameter, json_of
from sidecar.api.openapi.shared import (
    CLUSTER,
    DEVICE,
    FACETS,
    INDEX,
    KEEP_ALIVE,
    LEGACY,
    MODEL,
    OF_LINES,
    OF_MAP,
    OF_PICTURE,
    OF_VALUES,
    REFRESH,
    ROUTING,
)
from sidecar.api.pictures import PICTURE_TYPES
from sidecar.api.schemas.deletion import DeletionBody
from sidecar.api.schemas.documents import AddDocumentsBody, IdsBody, LegacyBody
from sidecar.api.schemas.embeddings import EmbeddingsBody
from sidecar.api.schemas.points_in_time import ClosePointInTimeBody
from sidecar.api.schemas.recommend import RecommendBody
from sidecar.api.schemas.search import BulkSearchBody, SearchBody
from sidecar.api.schemas.settings import IndexSettingsBody
from sidecar.errors import (
    AliasNotFound,
    BadRequest,
    DiskFull,
    DocumentNotFound,
    HardwareUnavailable,
    IllegalRequestedDocCount,
    IndexAlreadyExists,
    InvalidArgument,
    InvalidDocumentId,
    InvalidFieldName,
    InvalidIndexName,
    MediaError,
    ModelNotInCache,
    TooManyFields,
    UnknownModel,
)

Text = Annotated[str, WithJsonSchema({"type": "string"})]

OPERATIONS: Mapping[str, Operation] = {
    "operations.greet": Operation({200: json_of(answers.Greeting)}),
    "operations.health": Operation({200: json_of(answers.HealthAnswer)}, errors=CLUSTER),
    "operations.ready": Operation({200: json_of(answers.Readiness), 503: json_of(answers.Readiness)}),
    "operations.metrics": Operation({200: {"text/plain": Text}}),
    "operations.show_processor": Operation({200: json_of(answers.ProcessorUse)}),
    "operations.show_cuda_devices": Operation({200: json_of(answers.CudaDevices)}, errors=(HardwareUnavailable,)),
    "documentation.show_openapi": Operation({200: json_of(dict[str, object])}),
    "documentation.show_page": Operation({200: {"text/html": Text}}),
    "documentation.show_file": Operation(
        {200: {"text/css": Text, "text/javascript": Text, "image/png": Annotated[bytes, WithJsonSchema({})]}},
    ),
    "playground.show_playground": Operation({200: {"text/html": Text}}),
    "playground.show_playground_file": Operation(
        {200: {"text/css": Text, "text/javascript": Text, "text/html": Text, "image/svg+xml": Text}}
    ),
    "indexes.list_indexes": Operation({200: json_of(answers.IndexList)}, errors=CLUSTER),
    "indexes.create_index": Operation(
        {200: json_of(answers.IndexCreated)},
        body=json_of(IndexSettingsBody | None),
        needs_body=False,
        example={"index_defaults": {"model": "random/small"}, "number_of_shards": 1},
        errors=(*CLUSTER, InvalidIndexName, InvalidArgument, InvalidFieldName, UnknownModel, IndexAlreadyExists),
    ),
    "indexes.delete_index": Operation({200: json_of(answers.Acknowledged)}, errors=(*INDEX, InvalidArgument)),
    "indexes.read_settings": Operation({200: json_of(answers.SettingsAnswer)}, errors=INDEX),
    "fields.list_fields": Operation({200: json_of(field_answers.DocumentFields)}, errors=INDEX),
    "fields.list_values": Operation(
        {200: json_of(field_answers.FieldValues | field_answers.FieldRange)},
        parameters=OF_VALUES,
        errors=(*INDEX, InvalidArgument),
    ),
    "pictures.show_picture": Operation(
        {200: dict.fromkeys(PICTURE_TYPES.values(), Annotated[bytes, WithJsonSchema({})])},
        parameters=OF_PICTURE,
        errors=(*INDEX, InvalidArgument, InvalidDocumentId, DocumentNotFound, MediaError),
    ),
    "indexes.read_stats": Operation({200: json_of(answers.Stats)}, errors=INDEX),
    "indexes.read_index_health": Operation({200: json_of(answers.HealthAnswer)}, errors=CLUSTER),
    "indexes.refresh": Operation({200: json_of(answers.Refreshed)}, errors=INDEX),
    "inspection.show_details": Operation({200: json_of(inspection_answers.DetailsAnswer)}, errors=INDEX),
    "inspection.show_map": Operation(
        {200: json_of(inspection_answers.MapAnswer)}, parameters=OF_MAP, errors=(*INDEX, InvalidArgument)
    ),
    "aliases.read_aliases": Operation({200: json_of(answers.AliasList)}, errors=INDEX),
    "aliases.put_alias": Operation(
        {200: json_of(answers.AliasPut)}, errors=(*INDEX, InvalidIndexName, InvalidArgument, IndexAlreadyExists)
    ),
    "aliases.delete_alias": Operation({200: json_of(answers.Acknowledged)}, errors=(*INDEX, AliasNotFound)),
    "documents.add_documents": Operation(
        {200: {JSON: document_answers.AddedDocuments, NDJSON: Text}},
        parameters=(REFRESH, DEVICE, ROUTING, *LEGACY, *OF_LINES),
        body={JSON: AddDocumentsBody | LegacyBody, NDJSON: Text},
        example={"documents": [{"_id": "1", "title": "A title", "year": 1984}], "tensorFields": ["title"]},
        errors=(*INDEX, *MODEL, InvalidFieldName, DiskFull, TooManyFields),
    ),
    "documents.update_documents": Operation(
        {200: json_of(document_answers.AddedDocuments)},
        parameters=(REFRESH, DEVICE, ROUTING),
        body=json_of(AddDocumentsBody),
        example={"documents": [{"_id": "1", "year": 1985}]},
        errors=(*INDEX, *MODEL, InvalidFieldName, DiskFull, TooManyFields),
    ),
    "documents.get_document": Operation(
        {200: json_of(document_answers.DocumentAnswer)},
        parameters=(FACETS, ROUTING),
        errors=(*INDEX, InvalidArgument, DocumentNotFound, InvalidDocumentId),
    ),
    "documents.get_documents": Operation(
        {200: json_of(document_answers.FoundDocuments)},
        parameters=(FACETS, ROUTING),
        body=json_of(IdsBody),
        example=["1", "2"],
        errors=(*INDEX, InvalidArgument, InvalidDocumentId, IllegalRequestedDocCount),
    ),
    "documents.delete_documents": Operation(
        {200: json_of(document_answers.DeletedDocuments)},
        parameters=(REFRESH, ROUTING),
        body=json_of(IdsBody),
        example=["1", "2"],
        errors=(*INDEX, InvalidArgument, InvalidDocumentId, DiskFull),
    ),
    "documents.delete_found_documents": Operation(
        {200: json_of(document_answers.DeletionAnswer)},
        parameters=(REFRESH,),
        body=json_of(DeletionBody),
        example={"filter": "year:<1980"},
        errors=(*INDEX, InvalidArgument, DiskFull),
    ),
    "search.search_index": Operation(
        {200: json_of(document_answers.SearchAnswer)},
        parameters=(DEVICE,),
        body=json_of(SearchBody),
        example={"q": "a title", "filter": "year:<2000", "limit": 5},
        errors=(*INDEX, *MODEL, InvalidFieldName, IllegalRequestedDocCount),
    ),
    "search.search_indexes": Operation(
        {200: json_of(document_answers.BulkSearchAnswer)},
        parameters=(DEVICE,),
        body=json_of(BulkSearchBody),
        example={"queries": [{"index": "my-index", "q": "a title"}, {"index": "my-index", "q": {"a": 1, "b": -0.5}}]},
        errors=(*INDEX, *MODEL, InvalidFieldName, IllegalRequestedDocCount),
    ),
    "recommend.recommend_documents": Operation(
        {200: json_of(document_answers.SearchAnswer)},
        body=json_of(RecommendBody),
        example={"documents": ["1"], "limit": 5},
        errors=(
            *(*INDEX, InvalidArgument, DocumentNotFound, InvalidDocumentId),
            *(InvalidFieldName, IllegalRequestedDocCount, BadRequest),
        ),
    ),
    "points_in_time.open_one": Operation(
        {200: json_of(answers.PointInTimeOpened)}, parameters=(KEEP_ALIVE, ROUTING), errors=(*INDEX, InvalidArgument)
    ),
    "points_in_time.close_one": Operation(
        {200: json_of(answers.PointInTimeClosed)},
        body=json_of(ClosePointInTimeBody),
        errors=(*INDEX, InvalidArgument),
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
        parameters=(DEVICE,),
        body=json_of(EmbeddingsBody),
        example={"input": ["A text", {"text": "another"}], "model": "random/small"},
        errors=MODEL,
    ),
    "embeddings.list_models": Operation({200: json_of(document_answers.ModelList)}),
    "embeddings.show_model": Operation({200: json_of(document_answers.ModelAnswer)}, errors=(UnknownModel,)),
}
"""View -> what it takes, gives and fails with. What it does is told by its docstring."""
