"""What the cluster's error answers mean in the sidecar's own errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sidecar.errors import (
    DiskFull,
    IndexAlreadyExists,
    IndexNotFound,
    InvalidArgument,
    InvalidIndexName,
    OpenSearchError,
    OpenSearchRejected,
    SidecarError,
    TooManyFields,
)
from sidecar.opensearch.transport import Response

WRITE_BLOCK = "index write (api)"
"""How reasons name the block of `PUT /{index}/_block/write` (`IndexMetadata.INDEX_WRITE_BLOCK`)."""
SEARCH_FAILED = "search_phase_execution_exception"
"""The cluster's error where a search fails in its shards, whatever the reason."""
NO_CONTEXT = "search_context_missing_exception"
"""The cluster's error where a point in time is closed or older than its time to live, and where the index of a search
is deleted between the two phases of the search."""
_LONGEST_TEXT = 500  # characters of an answer that is not JSON, as a proxy's page


def error_from_answer(response: Response, index: str | None = None) -> SidecarError:
    """The error that an answer with a status of 400 or more stands for; to be raised by the caller."""
    error_type, reason = _type_and_reason(response)
    where = f"index '{index}'" if index is not None else "the cluster"
    status = response.status
    if error_type == "cluster_block_exception":
        return _blocked(reason, where, status)
    if is_field_limit(reason):
        return TooManyFields(f"There is no room for further fields in {where}: {reason}.")
    if index is not None and (error := _index_error(error_type, index, reason)) is not None:
        return error
    if status == 429:
        return OpenSearchRejected(
            f"OpenSearch has too much to do: {reason}.", upstream_status=status, upstream_type=error_type
        )
    message = f"OpenSearch refused the request to {where} ({f'{status} {error_type}'.rstrip()}): {reason}"
    if status in {401, 403}:
        message += ". Check the user and the password in OPENSEARCH_URL, and what that user may do."
    return OpenSearchError(message, upstream_status=status, upstream_type=error_type)


def error_from_cause(cause: Mapping[str, Any], index: str) -> SidecarError:
    """As `error_from_answer`, for the error object of something that began well and failed later."""
    return error_from_answer(Response(500, {}, orjson.dumps({"error": cause})), index)


def _index_error(error_type: str, index: str, reason: str) -> SidecarError | None:
    """The error of an index that is not there, is there already, or can't be there."""
    if error_type == "index_not_found_exception":
        return index_not_found(index)
    if error_type == "resource_already_exists_exception":
        return IndexAlreadyExists(f"There is an index '{index}' already. Delete it, or choose another name.")
    if error_type == "invalid_index_name_exception" and reason.endswith("already exists as alias"):
        return IndexAlreadyExists(f"There is an alias '{index}' already. Delete it, or choose another name.")
    if error_type == "invalid_index_name_exception":
        return InvalidIndexName(f"OpenSearch refuses the index name '{index}': {reason}.")
    if error_type == "validation_exception" and "shards" in reason:
        return InvalidArgument(
            f"The cluster has no room for the shards of index '{index}': {reason.rstrip(';')}. Ask for fewer "
            "(number_of_shards), or delete indexes."
        )
    return None


def index_not_found(index: str) -> IndexNotFound:
    """There is no such index; its one message."""
    return IndexNotFound(f"There is no index '{index}'. Create it with POST /indexes/{index}, or look at GET /indexes.")


def is_flood_stage(error: Mapping[str, Any]) -> bool:
    """True where an error object (of an answer or of a bulk item) is the block that a full disk sets."""
    return error.get("type") == "cluster_block_exception" and "flood-stage" in str(error.get("reason"))


def is_write_block(error: Mapping[str, Any]) -> bool:
    """True where an error object is the block of writes that somebody set on an index, as a migration does."""
    return error.get("type") == "cluster_block_exception" and WRITE_BLOCK in str(error.get("reason"))


def are_shards_gone(error: OpenSearchError) -> bool:
    """True where a search lost its index's shards, as one does whose index is deleted meanwhile: before its first
    phase, or before its second."""
    return error.upstream_type == NO_CONTEXT or (error.upstream_status == 503 and error.upstream_type == SEARCH_FAILED)


def disk_full(where: str) -> DiskFull:
    """The disk is full; its one message."""
    return DiskFull(
        f"OpenSearch takes no writes for {where}: its disk passed the flood-stage watermark. Free disk "
        "space, or delete indexes or documents; OpenSearch lifts the block itself when there is room again."
    )


def is_field_limit(reason: str) -> bool:
    """True where the cluster's reason is one of its limits on the fields of a mapping."""
    return reason.startswith("Limit of ") and reason.endswith("has been exceeded")


def _blocked(reason: str, where: str, status: int) -> OpenSearchError:
    if is_flood_stage({"type": "cluster_block_exception", "reason": reason}):
        return disk_full(where)
    return OpenSearchError(
        f"OpenSearch takes no writes for {where}: {reason}. Lift that block to go on.",
        upstream_status=status,
        upstream_type="cluster_block_exception",
    )


def _type_and_reason(response: Response) -> tuple[str, str]:
    """The innermost type and reason that tell something.

    The outer error of a failed search or creation only says that something failed; the root cause says what.
    """
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        answer = " ".join(response.body.decode("utf-8", "replace").split())[:_LONGEST_TEXT]
    error = answer.get("error") if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return "", str(error or "no reason given").rstrip(".")
    causes = error.get("root_cause")
    cause = causes[0] if isinstance(causes, list) and causes and isinstance(causes[0], dict) else error
    reason = cause.get("reason") or error.get("reason") or "no reason given"
    return str(cause.get("type") or error.get("type") or ""), str(reason).rstrip(".")
