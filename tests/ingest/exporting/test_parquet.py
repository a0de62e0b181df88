"""Documents as rows of Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sidecar.ingest.exporting import parquet
from sidecar.ingest.exporting.export import Export
from sidecar.ingest.exporting.options import ExportFormat, ExportOptions
from sidecar.ingest.progress import Progress
from sidecar.opensearch.client import Cluster
from tests.ingest.exporting.exports import exported, fill
from tests.native.declaring.indexes import send


def test_columns_have_the_types_of_their_values(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    properties = {"price": {"type": "double"}, "empty": {"type": "long"}}
    assert send(node, "PUT", f"/{unread}/_mapping", {"properties": properties})[0] == 200
    fill(
        node,
        unread,
        {
            "a": '{"n":1,"price":1,"tags":["x"],"o":{"a":1},"mixed":1,"big":12345678901234567890123,"ok":true}',
            "b": '{"n":2.5,"price":2,"tags":[],"o":{"b":[null,"z"]},"mixed":"one","t":"ü"}',
        },
    )
    summary = exported(cluster, unread, tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "_id": "string",
        "price": "double",
        "empty": "int64",
        "n": "double",
        "tags": "list<element: string>",
        "o": "struct<a: int64, b: list<element: string>>",
        "mixed": "string",
        "big": "string",
        "ok": "bool",
        "t": "string",
    }
    assert summary.json_columns == ("big", "mixed")
    assert json.loads(table.schema.metadata[b"json_columns"]) == ["big", "mixed"]
    rows = {row["_id"]: row for row in table.to_pylist()}
    assert rows["a"]["big"] == "12345678901234567890123"
    assert [rows[name]["mixed"] for name in ("a", "b")] == ["1", '"one"']


def test_columns_that_turn_out_too_narrow_are_made_anew(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 100)
    documents = {f"d{number}": f'{{"n":{number}}}' for number in range(150)}
    fill(node, unread, documents | {"last": '{"n":"text","new":1}'})
    done: list[int] = []
    options = ExportOptions(unread, f"{tmp_path}/folder/", ExportFormat.PARQUET)
    summary = Export(cluster, options, progress=Progress(done=done.append)).run()
    assert (summary.documents, summary.json_columns, sum(done)) == (151, ("n",), 151)
    tables = [pq.read_table(path) for path in (tmp_path / "folder").iterdir()]
    assert len({str(table.schema) for table in tables}) == 1
    assert sum(table.num_rows for table in tables) == 151


def test_chunks_are_lists_of_float32_in_parquet(cluster: Cluster, filled: str, node: str, tmp_path: Path) -> None:
    exported(cluster, filled, tmp_path / "x.parquet", with_vectors=True, fields=("title",))
    table = pq.read_table(tmp_path / "x.parquet")
    assert set(table.column_names) == {
        "_id",
        "title",
        *(f"__embeddings.title.{part}" for part in ("vector", "start", "end", "content")),
    }
    assert str(table.schema.field("__embeddings.title.vector").type) == "list<element: list<element: float>>"
    row = {row["_id"]: row for row in table.to_pylist()}["d7"]
    stored = send(node, "GET", f"/{filled}/_doc/d7")[1]["_source"]["__embeddings"]["title"]
    for vector, chunk in zip(row["__embeddings.title.vector"], stored, strict=True):
        assert np.array_equal(np.array(vector, np.float32), np.array(chunk["vector"], np.float32))
    assert row["__embeddings.title.content"] == [
        row["title"][start:end]
        for start, end in zip(row["__embeddings.title.start"], row["__embeddings.title.end"], strict=True)
    ]


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
def test_an_empty_index_gives_an_empty_file(cluster: Cluster, unread: str, tmp_path: Path, name: str) -> None:
    assert exported(cluster, unread, tmp_path / name).documents == 0
    rows = pq.read_table(tmp_path / name).num_rows if name == "x.parquet" else len((tmp_path / name).read_bytes())
    assert rows == 0
