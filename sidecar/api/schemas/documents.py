"""Bodies that add, read and delete documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, WithJsonSchema

from sidecar.api.schemas.auth import ModelAuthBody, parse_model_auth
from sidecar.api.schemas.mappings import MappingsBody, parse_mappings
from sidecar.api.schemas.media_headers import MediaHeadersBody, parse_media_headers
from sidecar.api.schemas.problems import check_shape, not_a, problems_of
from sidecar.errors import BadRequest, IllegalRequestedDocCount, InvalidArgument, InvalidDocumentId, Unprocessable
from sidecar.indexing.names import MAX_DOCUMENT_ID_BYTES, check_document_id
from sidecar.indexing.requests import AddDocuments

LEGACY_PARAMETERS = (
    "non_tensor_fields",
    "use_existing_tensors",
    "image_download_headers",
    "model_auth",
    "mappings",
)
_Names = Annotated[list[str] | None, FailFast()]
_Documents = Annotated[
    list[Any],
    WithJsonSchema(
        {"type": "array", "items": {"type": "object", "properties": {"_id": {"type": "string"}}}, "minItems": 1}
    ),
]
LegacyBody = _Documents
"""The array body as JSON."""
_Id = Annotated[str, Field(min_length=1, max_length=MAX_DOCUMENT_ID_BYTES)]
IdsBody = Annotated[list[_Id | float | bool], Field(min_length=1)]
"""Ids as JSON, read by `parse_ids_to_read` and `parse_ids_to_delete`."""


class AddDocumentsBody(BaseModel):
    """Documents to add or change, and how."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    documents: _Documents
    tensor_fields: _Names = Field(default=None, alias="tensorFields")
    non_tensor_fields: _Names = Field(default=None, alias="nonTensorFields")
    # Texts that have not changed keep their embeddings in any case.
    use_existing_tensors: bool = Field(default=False, alias="useExistingTensors")
    image_download_headers: MediaHeadersBody = Field(default_factory=dict, alias="imageDownloadHeaders")
    auth: ModelAuthBody = Field(default=None, alias="modelAuth")
    mappings: MappingsBody = None
    text_chunk_prefix: str | None = Field(default=None, alias="textChunkPrefix")


@dataclass(frozen=True, slots=True)
class AddParameters:
    """What the query of an add request says: `refresh`, the device that models run on, the documents' `routing`, and
    the parameters of the legacy array body: `use_existing_tensors`, and all of them unparsed."""

    refresh: bool
    device: str
    use_existing_tensors: bool
    legacy: Mapping[str, list[str]]
    routing: str | None = None


def parse_add_documents(body: Any, parameters: AddParameters, *, max_documents: int) -> AddDocuments:
    """An add request of either style: an object, or the legacy array of documents.

    Raises: Unprocessable for a wrong shape, with the problems of both styles; BadRequest for parts that do not go
    together or a wrong number of documents; InvalidArgument and InvalidFieldName for mappings, headers or credentials
    that break a rule.
    """
    request = _from_array(body, parameters) if isinstance(body, list) else _from_object(body, parameters)
    return _counted(request, max_documents)


def parse_update_documents(body: Any, parameters: AddParameters, *, max_documents: int) -> AddDocuments:
    """A request for partial updates, an object; at most one of the two field lists is given.

    Raises: as `parse_add_documents`.
    """
    parsed: AddDocumentsBody = check_shape(AddDocumentsBody, body)
    if parsed.tensor_fields is not None and parsed.non_tensor_fields is not None:
        raise BadRequest(
            "At most one of 'tensorFields' and 'nonTensorFields' may be given: the fields to embed, or those not to."
        )
    return _counted(replace(_request(parsed, parameters), is_partial=True), max_documents)


def _counted(request: AddDocuments, max_documents: int) -> AddDocuments:
    if not request.documents:
        raise BadRequest("Received empty add documents request: 'documents' has no document.")
    if len(request.documents) > max_documents:
        raise BadRequest(
            f"The request has {len(request.documents)} documents; the limit is {max_documents} "
            "(SIDECAR_MAX_ADD_DOCUMENTS). Send them in several requests."
        )
    return request


def _from_object(body: Any, parameters: AddParameters) -> AddDocuments:
    try:
        parsed = AddDocumentsBody.model_validate(body)
    except ValidationError as error:
        raise Unprocessable([*problems_of(error), not_a("list", "body")]) from error
    if parameters.legacy:
        given = ", ".join(parameters.legacy)
        raise BadRequest(f"The query has {given}, which go with an array body only. Give them in the body.")
    if (parsed.tensor_fields is None) == (parsed.non_tensor_fields is None):
        raise BadRequest(
            "Exactly one of 'tensorFields' and 'nonTensorFields' must be given: the fields to embed, or those not to."
        )
    return _request(parsed, parameters)


def _request(parsed: AddDocumentsBody, parameters: AddParameters) -> AddDocuments:
    return AddDocuments(
        documents=parsed.documents,
        tensor_fields=None if parsed.tensor_fields is None else tuple(parsed.tensor_fields),
        non_tensor_fields=None if parsed.non_tensor_fields is None else tuple(parsed.non_tensor_fields),
        refresh=parameters.refresh,
        text_chunk_prefix=parsed.text_chunk_prefix,
        use_existing_tensors=parsed.use_existing_tensors,
        mappings=parse_mappings(parsed.mappings),
        media_headers=parse_media_headers("imageDownloadHeaders", parsed.image_download_headers),
        auth=parse_model_auth(parsed.auth),
        device=parameters.device,
        routing=parameters.routing,
    )


def _from_array(body: list[Any], parameters: AddParameters) -> AddDocuments:
    legacy = parameters.legacy
    if "non_tensor_fields" not in legacy:
        raise BadRequest(
            "An array body needs the parameter non_tensor_fields, as in ?non_tensor_fields=name. "
            "Better, send an object with 'documents' and 'tensorFields'."
        )
    return AddDocuments(
        documents=body,
        tensor_fields=None,
        non_tensor_fields=tuple(legacy["non_tensor_fields"]),
        refresh=parameters.refresh,
        use_existing_tensors=parameters.use_existing_tensors,
        mappings=parse_mappings(object_parameter("mappings", legacy)),
        media_headers=parse_media_headers("image_download_headers", object_parameter("image_download_headers", legacy)),
        auth=parse_model_auth(object_parameter("model_auth", legacy)),
        device=parameters.device,
        routing=parameters.routing,
    )


def object_parameter(name: str, parameters: Mapping[str, list[str]]) -> dict[str, Any] | None:
    """A parameter that is an object as JSON text; None where it is null or not given. Raises: InvalidArgument."""
    if name not in parameters:
        return None
    try:
        value = orjson.loads(parameters[name][-1])
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the parameter {name!r} is not JSON: {error}") from error
    if value is not None and not isinstance(value, dict):
        raise InvalidArgument(f"the parameter {name!r} must be a JSON object.")
    return value


def parse_ids_to_read(body: Any, *, max_ids: int) -> list[str]:
    """The ids of documents to read. Raises: Unprocessable, InvalidArgument, and others by the contract."""
    ids = _parse_ids(body)
    if not ids:
        raise InvalidArgument("The list of document ids can't be empty.")
    if len(ids) > max_ids:
        raise IllegalRequestedDocCount(_too_many(len(ids), max_ids, "SIDECAR_MAX_RETRIEVABLE_DOCUMENTS"))
    return _checked(ids)


def parse_ids_to_delete(body: Any, *, max_ids: int) -> list[str]:
    """The ids of documents to delete. Raises: Unprocessable, InvalidDocumentId, InvalidArgument."""
    ids = _parse_ids(body)
    if not ids:
        raise InvalidDocumentId("The list of document ids can't be empty.")
    if len(ids) > max_ids:
        raise InvalidArgument(_too_many(len(ids), max_ids, "SIDECAR_MAX_DELETE_DOCUMENTS"))
    return _checked(ids)


def _parse_ids(body: Any) -> list[str]:
    if not isinstance(body, list):
        raise Unprocessable([not_a("list", "body")])
    return [_id_text(position, value) for position, value in enumerate(body)]


def _id_text(position: int, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    raise Unprocessable([not_a("string", "body", position)])


def _checked(ids: list[str]) -> list[str]:
    return [check_document_id(document_id) for document_id in ids]


def _too_many(count: int, limit: int, setting: str) -> str:
    return f"{count} document ids were given; the limit is {limit} ({setting}). Send several requests."
