"""Files of web servers and buckets."""

from __future__ import annotations

import gzip
import io
import pickle
import uuid
from collections.abc import Iterator

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources import remote_files
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.registry import open_source
from sidecar.ingest.sources.source import Place
from tests.ingest.sources.reading import check_every_place, documents, part, parts, records
from tests.ingest.sources.web_store import WebStore

LINES = b"".join(b'{"n": %d}\n' % n for n in range(20))
ROWS = [{"n": n} for n in range(20)]
KEYS = {"key": "ID", "secret": "SECRET"}


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), content, row_group_size=6)
    return content.getvalue()


FILES = {
    "/data/rows.jsonl": LINES,
    "/data/more/rows.jsonl.gz": gzip.compress(LINES),
    "/data/_SUCCESS": b"",
    "/tables/rows.parquet": parquet(),
}


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def web(request: pytest.FixtureRequest) -> Iterator[WebStore]:
    with WebStore(gives_ranges=request.param) as store:
        store.files.update(FILES)
        yield store


@pytest.fixture
def bucket() -> Iterator[WebStore]:
    with WebStore(wants="AWS4-HMAC-SHA256 Credential=ID/") as store:
        store.files.update({f"/bucket{path}": content for path, content in FILES.items()})
        yield store


def test_a_host_that_can_not_be_reached_is_told_as_such() -> None:
    with pytest.raises(InvalidArgument, match=r"http://127\.0\.0\.1:9/x\.jsonl can't be reached: "):
        open_source(SourceOptions("http://127.0.0.1:9/x.jsonl"))


def test_rows_of_the_web_come_from_any_place(web: WebStore) -> None:
    found = check_every_place(part(f"{web.url}/data/rows.jsonl"), step=6)
    assert [record.document for record in found] == ROWS
    assert documents(f"{web.url}/data/more/rows.jsonl.gz") == ROWS


def test_the_rows_before_a_place_are_not_fetched_where_the_host_gives_ranges() -> None:
    with WebStore() as web:
        web.files["/rows.jsonl"] = LINES
        first, second, *_ = records(f"{web.url}/rows.jsonl")
        web.asked.clear()
        assert next(part(f"{web.url}/rows.jsonl").records(Place.behind(first))) == second
        ranges = [wished for method, _, wished in web.asked if method == "GET" and wished != "bytes=0-0"]
        assert len(ranges) == 1
        assert str(ranges[0]).startswith(f"bytes={first.resume}-")


def test_a_host_that_tells_no_size_is_read_by_counting() -> None:
    with WebStore(tells_sizes=False) as web:
        web.files.update(FILES)
        found = check_every_place(part(f"{web.url}/data/rows.jsonl"), step=6)
        assert [(record.document, record.resume) for record in found] == [(row, None) for row in ROWS]
        with pytest.raises(InvalidArgument, match=r"rows\.parquet must be read at several places.*Store it in a file"):
            records(f"{web.url}/tables/rows.parquet")


def test_files_are_read_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_BLOCK_BYTES", 50)
    with WebStore() as web:
        web.files["/rows.jsonl"] = LINES
        assert documents(f"{web.url}/rows.jsonl") == ROWS
        assert len(web.asked) > len(LINES) / 60


def test_parquet_of_the_web_is_read_by_ranges() -> None:
    with WebStore() as web:
        web.files.update(FILES)
        found = check_every_place(part(f"{web.url}/tables/rows.parquet"), step=6)
        assert [record.document for record in found] == ROWS
        assert part(f"{web.url}/tables/rows.parquet").count() == 20


def test_a_host_without_ranges_gives_no_parquet() -> None:
    with WebStore(gives_ranges=False) as web:
        web.files.update(FILES)
        with pytest.raises(InvalidArgument, match=r"rows\.parquet gives no ranges of it\. Store it in a file first"):
            records(f"{web.url}/tables/rows.parquet")


def test_a_signed_url_is_read_and_not_told(web: WebStore) -> None:
    [found] = parts(f"{web.url}/data/rows.jsonl?X-Amz-Signature=secret")
    assert found.name == "rows.jsonl"
    assert len(list(found.records())) == 20
    web.files.clear()
    with pytest.raises(InvalidArgument) as refused:
        list(found.records())
    assert "secret" not in str(refused.value)


def test_headers_and_users_go_with_requests_to_the_web() -> None:
    with WebStore(wants="Basic dXNlcjpwdw==") as web:
        web.files["/rows.jsonl"] = LINES
        host = web.url.partition("//")[2]
        assert documents(f"http://user:pw@{host}/rows.jsonl") == ROWS


def test_images_of_the_web_are_named_by_their_urls(web: WebStore) -> None:
    web.files["/photo.jpg"] = b"jpeg"
    [record] = records(f"{web.url}/photo.jpg")
    assert record.document == {"image": f"{web.url}/photo.jpg", "name": "photo.jpg"}
    assert record.document_id == "photo.jpg"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/missing.jsonl", None, r"There is no http://.*/missing\.jsonl\."),
        ("/data/rows.jsonl", 403, r"rows\.jsonl may not be read: its host answers 403"),
        ("/data/rows.jsonl", 500, r"rows\.jsonl can't be read: its host answers 500\."),
    ],
)
def test_what_a_web_server_refuses_is_told(web: WebStore, path: str, status: int | None, told: str) -> None:
    web.status = status
    with pytest.raises(InvalidArgument, match=told):
        records(web.url + path)


def test_a_host_that_is_away_is_told() -> None:
    with WebStore() as web:
        url = web.url
    with pytest.raises(InvalidArgument, match=r"rows\.jsonl"):
        records(f"{url}/rows.jsonl")


def test_a_bucket_is_read_below_a_prefix(bucket: WebStore) -> None:
    storage = {**KEYS, "endpoint_url": bucket.url}
    found = parts("s3://bucket/data/", storage=storage)
    assert [part.name for part in found] == ["more/rows.jsonl.gz", "rows.jsonl"]
    for each in found:
        assert [record.document for record in check_every_place(each, step=6)] == ROWS
    assert found[1].size_bytes == len(LINES)
    sent = pickle.loads(pickle.dumps(found[1]))
    assert list(sent.records()) == list(found[1].records())


def test_an_object_of_a_bucket_that_changes_has_another_fingerprint(bucket: WebStore) -> None:
    storage = {**KEYS, "endpoint_url": bucket.url}
    before = part("s3://bucket/data/rows.jsonl", storage=storage).fingerprint
    assert part("s3://bucket/data/rows.jsonl", storage=storage).fingerprint == before
    bucket.files["/bucket/data/rows.jsonl"] = LINES.replace(b"7", b"8")
    assert part("s3://bucket/data/rows.jsonl", storage=storage).fingerprint != before


def test_parquet_of_a_bucket_is_found_by_a_pattern(bucket: WebStore) -> None:
    [table] = parts("s3://bucket/tab*/*.parquet", storage={**KEYS, "endpoint_url": bucket.url})
    assert table.name == "tables/rows.parquet"
    assert [record.document for record in table.records()] == ROWS


def test_what_a_bucket_refuses_is_told_with_where_keys_come_from(bucket: WebStore) -> None:
    storage = {"key": "OTHER", "secret": "SECRET", "endpoint_url": bucket.url}
    with pytest.raises(InvalidArgument, match=r"s3://bucket/data/rows\.jsonl may not be read: .*AWS_ACCESS_KEY_ID"):
        part("s3://bucket/data/rows.jsonl", storage=storage)


def test_an_object_that_is_not_there_is_told(bucket: WebStore) -> None:
    with pytest.raises(InvalidArgument, match=r"There is no .*s3://bucket/missing\.jsonl"):
        part("s3://bucket/missing.jsonl", storage={**KEYS, "endpoint_url": bucket.url})


def test_images_of_a_bucket_are_refused(bucket: WebStore) -> None:
    bucket.files["/bucket/photo.jpg"] = b"jpeg"
    with pytest.raises(InvalidArgument, match=r"The images of s3://bucket/photo\.jpg can't be embedded where they lie"):
        part("s3://bucket/photo.jpg", storage={**KEYS, "endpoint_url": bucket.url})


def test_any_filesystem_of_fsspec_is_read() -> None:
    folder = f"memory://{uuid.uuid4().hex}"
    with fsspec.open(f"{folder}/a/rows.jsonl", "wb") as file:
        file.write(LINES)
    [found] = parts(folder)
    assert found.name == "a/rows.jsonl"
    assert [record.document for record in check_every_place(found)] == ROWS
    assert documents(f"{folder}/a/rows.jsonl", Format.JSONL) == ROWS


def test_an_unknown_scheme_is_told() -> None:
    with pytest.raises(InvalidArgument, match=r"nowhere://a\.jsonl can't be read: .*Look at its scheme"):
        parts("nowhere://a.jsonl")
