from __future__ import annotations

import orjson
import pytest

from sidecar.errors import (
    DiskFull,
    IndexAlreadyExists,
    IndexNotFound,
    InvalidArgument,
    InvalidIndexName,
    OpenSearchError,
    OpenSearchRejected,
    TooManyFields,
)
from sidecar.opensearch.error_answers import error_from_answer
from sidecar.opensearch.transport import Response

PAGE = b"<html>\n<body>\n  Not\there.\n</body></html>\n"

FLOOD = (
    "index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, "
    "index has read-only-allow-delete block];"
)


def answer(status: int, error_type: str, reason: str) -> Response:
    error = {"type": error_type, "reason": reason}
    return Response(status, {}, orjson.dumps({"error": {"root_cause": [error], **error}, "status": status}))


@pytest.mark.parametrize(
    ("status", "error_type", "reason", "expected"),
    [
        (404, "index_not_found_exception", "no such index [a]", IndexNotFound),
        (400, "resource_already_exists_exception", "index [a/x] already exists", IndexAlreadyExists),
        (400, "invalid_index_name_exception", "Invalid index name [a], must be lowercase", InvalidIndexName),
        (400, "validation_exception", "this action would add [1024] total shards;", InvalidArgument),
        (429, "cluster_block_exception", FLOOD, DiskFull),
        (
            403,
            "cluster_block_exception",
            "index [a] blocked by: [FORBIDDEN/5/index read-only (api)];",
            OpenSearchError,
        ),
        (400, "illegal_argument_exception", "Limit of total fields [10] has been exceeded", TooManyFields),
        (400, "illegal_argument_exception", "Limit of nested fields [1] has been exceeded", TooManyFields),
        (429, "rejected_execution_exception", "rejected execution of coordinating", OpenSearchRejected),
        (500, "null_pointer_exception", "oh", OpenSearchError),
    ],
)
def test_error_is_the_one_that_the_answer_means(
    status: int, error_type: str, reason: str, expected: type[Exception]
) -> None:
    error = error_from_answer(answer(status, error_type, reason), "a")
    assert type(error) is expected
    assert "'a'" in error.message or "rejected execution" in error.message


def test_error_keeps_the_cluster_s_status_type_and_reason() -> None:
    error = error_from_answer(answer(400, "parsing_exception", "unknown query [foo]"), "a")
    assert isinstance(error, OpenSearchError)
    assert (error.upstream_status, error.upstream_type) == (400, "parsing_exception")
    assert "unknown query [foo]" in error.message


def test_error_of_a_refused_user_says_what_to_check() -> None:
    assert "password in OPENSEARCH_URL" in error_from_answer(Response(401, {}, b"Unauthorized")).message


def test_error_tells_the_root_cause_and_not_that_all_shards_failed() -> None:
    body = {
        "error": {
            "root_cause": [{"type": "query_shard_exception", "reason": "failed to create query: bad dimension"}],
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
        },
        "status": 400,
    }
    assert "bad dimension" in error_from_answer(Response(400, {}, orjson.dumps(body)), "a").message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"[]",
        b"null",
        b"7",
        b'{"error":[]}',
        b'{"error":{"root_cause":[7]}}',
        b"\xff",
    ],
)
def test_error_is_an_error_of_the_cluster_whatever_the_body(body: bytes) -> None:
    error = error_from_answer(Response(502, {}, body), "a")
    assert type(error) is OpenSearchError
    assert "502" in error.message


def test_what_something_before_the_cluster_answers_is_told_in_one_line() -> None:
    error = error_from_answer(Response(502, {}, PAGE))
    assert (
        error.message == "OpenSearch refused the request to the cluster (502): <html> <body> Not here. </body></html>"
    )
