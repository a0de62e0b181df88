"""Bodies: content types, JSON that is none, sizes."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"
LIMIT = 2048


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "application/json; charset=utf-8", "application/a+json"]
)
def test_body_is_parsed_as_json(sidecar: Sidecar, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answered = sidecar.post("/indexes/zzz/search", data=b'{"q":"x"}', headers=headers)
    assert answered.json()["code"] == "index_not_found"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_other_content_types_are_422(sidecar: Sidecar, content_type: str) -> None:
    answered = sidecar.post("/indexes/zzz/search", data=b'{"q":"x"}', headers={"Content-Type": content_type})
    assert answered.status_code == 422
    assert content_type in answered.json()["detail"][0]["msg"]


@pytest.mark.parametrize("text", [b'{"q":', b"{'q':1}", b"\xff\xfe", b'{"q":NaN}', b'["\\ud800"]', b"[" * 100_000])
def test_text_that_is_no_json_is_422_and_says_where(sidecar: Sidecar, text: bytes) -> None:
    answered = sidecar.post("/indexes/zzz/search", data=text, headers={"Content-Type": "application/json"})
    assert answered.status_code == 422
    (problem,) = answered.json()["detail"]
    assert problem["type"] == "value_error.jsondecode"
    assert problem["loc"][0] == "body"
    assert isinstance(problem["loc"][1], int)
    assert "doc" not in problem["ctx"]


def test_no_body_where_one_is_needed_is_422(sidecar: Sidecar) -> None:
    missing = {"loc": ["body"], "msg": "field required", "type": "value_error.missing"}
    for path in ("/indexes/a/search", "/indexes/a/documents", "/indexes/a/documents/delete-batch"):
        answered = sidecar.post(path)
        assert (answered.status_code, answered.json()) == (422, {"detail": [missing]})


def test_body_above_the_limit_is_413(make_client: MakeClient) -> None:
    client = make_client(opensearch_url=NOBODY, max_body_bytes=LIMIT)
    answered = client.post("/indexes/a/search", data=b'{"q":"' + b"x" * LIMIT + b'"}')
    assert answered.status_code == 413
    assert answered.json["code"] == "body_too_large"
    assert str(LIMIT) in answered.json["message"]
    assert "SIDECAR_MAX_BODY_BYTES" in answered.json["message"]


@pytest.fixture(scope="module")
def tight() -> Iterator[Sidecar]:
    with Sidecar({"OPENSEARCH_URL": NOBODY, "SIDECAR_MAX_BODY_BYTES": str(LIMIT)}) as running:
        yield running


def test_chunked_body_above_the_limit_is_413_and_not_read_to_its_end(tight: Sidecar) -> None:
    connection = http.client.HTTPConnection(urlsplit(tight.url).netloc, timeout=10)
    connection.putrequest("POST", "/indexes/a/search")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    chunk = b"x" * LIMIT
    for _ in range(2):
        connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    answered = connection.getresponse()  # the last chunk was never sent
    assert answered.status == 413
    assert b"body_too_large" in answered.read()
    connection.close()


def test_chunked_body_below_the_limit_is_read(tight: Sidecar) -> None:
    answered = tight.post("/indexes/a/search", data=iter([b'{"q"', b":", b"[]}"]))
    assert answered.json()["code"] == "invalid_argument"


def test_get_has_a_body(sidecar: Sidecar, index: str) -> None:
    assert sidecar.get(f"/indexes/{index}/documents", ["1"]).json() == {"results": [{"_id": "1", "_found": False}]}
