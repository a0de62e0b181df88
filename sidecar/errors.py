"""The one family of errors a user can meet; each knows its wire ``code``, ``type`` and HTTP status.

SidecarError
+- ConfigurationError                       the operator must change a setting; stops the start
+- InvalidRequest                           the client must change something
|  +- InvalidArgument, BadRequest, InvalidFieldName, InvalidIndexName
|  +- InvalidDocumentId, DocumentTooLarge, IllegalRequestedDocCount, TooManyFields
|  +- IndexNotFound, IndexAlreadyExists, AliasNotFound, DocumentNotFound, ModelNotInCache, NotASidecarIndex
|  +- BodyTooLarge, Unauthorized, OtherOrigin, HardwareUnavailable
|  +- Unprocessable                         the request has not the shape that its route reads
|  +- MediaError                            an image or another file that a document or query names
|  +- UnknownModel                          no model of that name
|  +- ModelLoadError, ConversionFailed      the model's files, or their conversion to ONNX
|  +- EndpointError                         the inference endpoint that runs the model
|  |  +- EndpointUnavailable                it is away, too slow or too busy
|  +- ModelCacheManagementError             the model does not fit into memory
|  +- TooManyRequests                       the client must wait
+- DashboardsError                          OpenSearch Dashboards took not all that it was sent
+- WorkersFailed                            Ray, or the workers that it runs, can't do their work
+- OpenSearchError                          the cluster
   +- OpenSearchUnreachable, OpenSearchTimeout, OpenSearchRejected, DiskFull
   +- EmbeddedNodeError                     the embedded node can't be had on this machine
"""

from __future__ import annotations

from typing import Any


class SidecarError(Exception):
    """Something failed inside the sidecar; nothing the client can change."""

    status = 500
    code = "internal"
    type = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def as_body(self) -> dict[str, Any]:
        """The JSON body of the answer: ``message``, ``code``, ``type`` and ``link``."""
        link = None if self.type == "invalid_request" else ""
        return {"message": self.message, "code": self.code, "type": self.type, "link": link}

    def as_item(self, document_id: str) -> dict[str, Any]:
        """The item of a batch answer that tells of one document's failure."""
        return {"_id": document_id, "error": self.message, "status": self.status, "code": self.code}

    def headers(self) -> dict[str, str]:
        """HTTP headers the answer needs besides its body."""
        return {}


class ConfigurationError(SidecarError):
    """A setting is unknown or has a bad value; the operator must correct it."""

    code = "server_configuration_error"


class DashboardsError(SidecarError):
    """OpenSearch Dashboards is away, refused, or took only some of the saved objects; its own words are told."""


class WorkersFailed(SidecarError):
    """Ray does not start, or its workers end again and again; what they did before is done."""


class InvalidRequest(SidecarError):
    """The request can't be served as it is; the client must change it."""

    status = 400
    code = "bad_request"
    type = "invalid_request"


class InvalidArgument(InvalidRequest):
    """A value breaks a rule of the API."""

    code = "invalid_argument"


class BadRequest(InvalidRequest):
    """The parts of the request do not go together."""


class InvalidFieldName(InvalidRequest):
    """A field has a name that documents may not use."""

    code = "invalid_field_name"


class InvalidIndexName(InvalidRequest):
    """An index name breaks the cluster's rules or is reserved."""

    code = "invalid_index_name"


class InvalidDocumentId(InvalidRequest):
    """A document's ``_id`` is not a non-empty string of at most 512 bytes."""

    code = "invalid_document_id"


class DocumentTooLarge(InvalidRequest):
    """A document's JSON text is longer than the limit."""

    code = "doc_too_large"


class IllegalRequestedDocCount(InvalidRequest):
    """More documents were asked for than one request may have."""

    code = "illegal_requested_doc_count"


class TooManyFields(InvalidRequest):
    """The index has no room for further fields."""

    code = "index_max_fields_error"


class IndexNotFound(InvalidRequest):
    """There is no index of that name."""

    status = 404
    code = "index_not_found"


class IndexAlreadyExists(InvalidRequest):
    """An index of that name is there already."""

    status = 409
    code = "index_already_exists"


class AliasNotFound(InvalidRequest):
    """The index has no alias of that name."""

    status = 404
    code = "alias_not_found"


class DocumentNotFound(InvalidRequest):
    """The index has no document of that id."""

    status = 404
    code = "document_not_found"


class NotASidecarIndex(InvalidRequest):
    """The index was not made by this API, so that it has no model."""

    code = "document_not_found"


class ModelNotInCache(InvalidRequest):
    """The model is not loaded on that device."""

    status = 404
    code = "model_not_in_cache"


class ModelCacheManagementError(InvalidRequest):
    """The model does not fit into the memory that models may use."""

    status = 409
    code = "model_cache_management_error"


class HardwareUnavailable(InvalidRequest):
    """The asked-for device is not on this machine."""

    code = "hardware_compatability_error"  # sic: the spelling that clients know


class BodyTooLarge(InvalidRequest):
    """The request's body is longer than the limit."""

    status = 413
    code = "body_too_large"


class Unprocessable(InvalidRequest):
    """The body or a parameter has not the shape that the route reads; nothing was done.

    Unlike all others it answers with a list of places and reasons, each of ``problems`` an
    object of ``loc``, ``msg`` and ``type``.
    """

    status = 422
    code = "unprocessable"

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(str(problem["msg"]) for problem in problems))
        self.problems = problems

    def as_body(self) -> dict[str, Any]:
        return {"detail": self.problems}


class Unauthorized(InvalidRequest):
    """The request carries no valid API key."""

    status = 401
    code = "unauthorized"


class OtherOrigin(InvalidRequest):
    """A web page of another origin asked a browser for a change; it has no key that would show who it is from."""

    status = 403
    code = "other_origin"


class TooManyRequests(InvalidRequest):
    """The queue of work is full; come back after the seconds that the header ``Retry-After`` says."""

    status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class UnknownModel(InvalidArgument):
    """No model of that name is in the table, and no ``model_properties`` say what it is."""


class MediaError(InvalidArgument):
    """A file can't be had, or is not what its name says; the message has its pointer, shortened, and the reason."""


class ModelFailed(InvalidArgument):
    """The model failed on a text or file, or made no numbers of it; the message has the model's own words."""

    status = 500
    code = "model_failed"
    type = "internal"


class EndpointError(InvalidRequest):
    """An inference endpoint refused, failed or did not answer in time; the next request tries again."""


class EndpointUnavailable(EndpointError):
    """An inference endpoint is away, too slow or too busy, whatever it was sent."""


class ModelLoadError(InvalidRequest):
    """The model's files are missing, unreachable or corrupt; the next request tries again."""


class ConversionFailed(ModelLoadError):
    """The model's files are sound, but their conversion to ONNX did not work."""


class ModelHangs(SidecarError):
    """The model has not come back from a batch in time; others are served, and so is this one when it is back."""

    status = 503
    code = "model_hangs"


class OpenSearchError(SidecarError):
    """The cluster answered with an error; its own words are in the message."""

    code = "unhandled_backend_error"
    type = "backend_error"

    def __init__(self, message: str, *, upstream_status: int = 0, upstream_type: str = "") -> None:
        super().__init__(message)
        self.upstream_status = upstream_status
        self.upstream_type = upstream_type


class OpenSearchUnreachable(OpenSearchError):
    """No connection to the cluster; the request was not carried out, or its fate is unknown."""

    code = "backend_communication_error"
    type = "internal"


class OpenSearchTimeout(OpenSearchError):
    """The cluster did not answer in time; the fate of a write is unknown."""

    code = "backend_timeout_error"
    type = "internal"


class OpenSearchRejected(OpenSearchError):
    """The cluster has too much to do (429) and the retries are used up."""

    status = 429
    code = "too_many_requests"
    type = "invalid_request"

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"}


class DiskFull(OpenSearchError):
    """The cluster's disk passed the flood-stage watermark: indexes are read-only."""

    status = 400
    code = "disk_watermark_breach_error"
    type = "internal"


class EmbeddedNodeError(OpenSearchError):
    """The embedded OpenSearch can't be started; the message says why and what to do."""

    code = "backend_communication_error"
    type = "internal"


def reason_of(error: BaseException) -> str:
    """What the system or a library says of an error, in one line: of a file's error neither number nor file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
