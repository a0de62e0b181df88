"""Documents of the run's own node come out as they are stored."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, Phase, given, settings

from sidecar.errors import InvalidArgument
from sidecar.ingest.exporting.export import Export
from sidecar.ingest.exporting.options import ExportFormat, ExportOptions
from sidecar.ingest.progress import Progress
from sidecar.opensearch.client import Cluster
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar
from tests.ingest.exporting.exports import TEXT, documents_of, exported, fill, lines
from tests.ingest.exporting.json_texts import COMMENT, DOCUMENTS
from tests.native.declaring.indexes import VECTOR, declaring, send


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each example takes the cluster a while
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=DOCUMENTS)
def test_documents_come_out_byte_for_byte_and_give_the_same_documents_again(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, texts: list[str]
) -> None:
    def round_trip(documents: dict[str, str]) -> dict[str, bytes]:
        fill(node, unread, documents)
        query = {"ids": {"values": list(documents)}}
        assert exported(cluster, unread, path, query=query, overwrite=True).documents == len(documents)
        return lines(path)

    path = tmp_path / "x.jsonl"
    found = round_trip({f"d{number}": text for number, text in enumerate(texts)})
    for number, text in enumerate(texts):
        line = found[f"d{number}"].decode()
        assert json.loads(line) == {"_id": f"d{number}"} | json.loads(text.replace(COMMENT, ""))
        if "\n" not in text:
            assert line == f'{{"_id":"d{number}"{"" if text == "{}" else ","}{text[1:]}'
    bare = {name: "{" + line.decode()[len(f'{{"_id":"{name}"') :].lstrip(",") for name, line in found.items()}
    assert round_trip(bare) == found


def test_vectors_lie_beside_their_content(cluster: Cluster, filled: str, node: str, tmp_path: Path) -> None:
    exported(cluster, filled, tmp_path / "with.jsonl", with_vectors=True)
    found = documents_of(tmp_path / "with.jsonl")
    stored = send(node, "GET", f"/{filled}/_doc/d7")[1]["_source"]
    chunks = found["d7"].pop("__embeddings")["title"]
    assert found["d7"] == {"_id": "d7", "title": f"{TEXT} 7", "n": 7}
    assert [chunk["vector"] for chunk in chunks] == [chunk["vector"] for chunk in stored["__embeddings"]["title"]]
    assert [chunk["content"] for chunk in chunks] == [f"{TEXT} 7"[chunk["start"] : chunk["end"]] for chunk in chunks]
    assert len(chunks) == 2
    exported(cluster, filled, tmp_path / "without.jsonl")
    without = documents_of(tmp_path / "without.jsonl")
    assert (without["d7"], len(without)) == (found["d7"], 40)
    assert not any("__embeddings" in document for document in without.values())


def test_an_exported_index_gives_the_same_documents_when_it_is_added_again(
    cluster: Cluster, sidecar: Sidecar, filled: str, tmp_path: Path
) -> None:
    exported(cluster, filled, tmp_path / "all.jsonl")
    again = f"{filled}-again"
    assert sidecar.post(f"/indexes/{again}", SMALL).status_code == 200
    try:
        sidecar.add(again, list(documents_of(tmp_path / "all.jsonl").values()))
        exported(cluster, filled, tmp_path / "first.jsonl", with_vectors=True)
        exported(cluster, again, tmp_path / "second.jsonl", with_vectors=True)
        assert lines(tmp_path / "first.jsonl") == lines(tmp_path / "second.jsonl")
    finally:
        sidecar.delete(f"/indexes/{again}")


def test_computed_vectors_of_the_native_face_stay_in_their_place_or_are_left_out(
    node: str, sidecar: Sidecar, cluster: Cluster, index_name: str, tmp_path: Path
) -> None:
    mappings = declaring({"body_vector": VECTOR, "own": {**VECTOR, "dimension": 2}})
    body = {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": mappings}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    source = {"body": "a text", "own": [0.25, 0.5]}
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_doc/d", source)[0] == 201
    exported(cluster, index_name, tmp_path / "without.jsonl")
    assert documents_of(tmp_path / "without.jsonl")["d"] == {"_id": "d", **source}
    exported(cluster, index_name, tmp_path / "with.jsonl", with_vectors=True)
    vector = documents_of(tmp_path / "with.jsonl")["d"].pop("body_vector")
    assert len(vector) == 32
    exported(cluster, index_name, tmp_path / "with.parquet", with_vectors=True)
    table = pq.read_table(tmp_path / "with.parquet")
    assert str(table.schema.field("body_vector").type) == "list<element: float>"
    assert np.array_equal(table["body_vector"].to_pylist()[0], np.array(vector, dtype=np.float32))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("x.jsonl", Path.read_bytes),
        ("x.jsonl.gz", lambda path: gzip.decompress(path.read_bytes())),
        ("x.ndjson.zst", lambda path: zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())),
    ],
)
def test_the_name_tells_how_it_is_compressed(
    cluster: Cluster, filled: str, tmp_path: Path, name: str, read: Callable[[Path], bytes]
) -> None:
    exported(cluster, filled, tmp_path / name)
    assert len(read(tmp_path / name).splitlines()) == 40
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_has_a_file_for_each_shard(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    fill(node, unread, {f"d{number}": f'{{"n":{number}}}' for number in range(30)})
    folder = tmp_path / "folder"
    summary = Export(cluster, ExportOptions(unread, f"{folder}/", ExportFormat.JSONL_GZ)).run()
    assert sorted(path.name for path in folder.iterdir()) == [f"{unread}-0000{number}.jsonl.gz" for number in range(2)]
    found = [line for path in folder.iterdir() for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert (len(found), summary.documents, summary.files) == (30, 30, 2)
    with pytest.raises(InvalidArgument, match="there already"):
        exported(cluster, unread, folder)
    exported(cluster, unread, folder, overwrite=True, limit=1)
    assert [path.suffix for path in folder.iterdir()] == [".jsonl"]


def test_a_folder_may_be_of_a_filesystem_of_fsspec(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    fill(node, unread, {f"d{number}": f'{{"n":{number}}}' for number in range(30)})
    to = f"file://{tmp_path}/folder/"
    assert Export(cluster, ExportOptions(unread, to)).run().documents == 30
    assert len([line for path in (tmp_path / "folder").iterdir() for line in path.read_bytes().splitlines()]) == 30
    with pytest.raises(InvalidArgument, match="not removed"):
        Export(cluster, ExportOptions(unread, to, overwrite=True)).run()


def test_documents_may_be_chosen(cluster: Cluster, filled: str, tmp_path: Path) -> None:
    def ids(**options: Any) -> set[str]:
        exported(cluster, filled, tmp_path / "x.jsonl", overwrite=True, **options)
        return set(lines(tmp_path / "x.jsonl"))

    assert ids(filter="n:[3 TO 5]") == {"d3", "d4", "d5"}
    assert ids(query={"terms": {"n": [1, 2]}}) == {"d1", "d2"}
    assert ids(filter="n:[3 TO 5]", query={"range": {"n": {"gte": 5}}}) == {"d5"}
    assert len(ids(limit=7)) == 7
    assert ids(filter="nix:1") == set()
    with pytest.raises(InvalidArgument, match="column"):
        ids(filter="n:[3 TO")


def test_fields_may_be_chosen_and_those_of_no_document_are_told(
    node: str, cluster: Cluster, unread: str, tmp_path: Path
) -> None:
    fill(node, unread, {"d": '{"a":{"b":1e5,"c":2},"l":[{"x":1,"y":2},{"y":3}],"e":1,"a.b":7}'})
    summary = exported(cluster, unread, tmp_path / "x.jsonl", fields=("a.b", "l.x", "nix"))
    assert lines(tmp_path / "x.jsonl")["d"] == b'{"_id":"d","a":{"b":1e5},"l":[{"x":1}],"a.b":7}'
    assert summary.unmet_fields == ("nix",)


def test_routing_and_the_filter_of_an_alias_hold(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    assert send(node, "PUT", f"/{unread}/_mapping", {"properties": {"n": {"type": "long"}}})[0] == 200
    fill(node, unread, {"a": '{"n":1}', "b": '{"n":2}'}, routing="somewhere")
    fill(node, unread, {"c": '{"n":1}'})
    alias = f"{unread}-ones"
    actions = {"actions": [{"add": {"index": unread, "alias": alias, "filter": {"term": {"n": 1}}}}]}
    assert send(node, "POST", "/_aliases", actions)[0] == 200
    exported(cluster, alias, tmp_path / "x.jsonl")
    assert documents_of(tmp_path / "x.jsonl") == {
        "a": {"_id": "a", "_routing": "somewhere", "n": 1},
        "c": {"_id": "c", "n": 1},
    }


def test_what_is_written_meanwhile_is_not_among_the_documents(
    node: str, cluster: Cluster, unread: str, tmp_path: Path
) -> None:
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(120)})
    meddled = False

    def meddle(documents: int) -> None:
        nonlocal meddled
        if not meddled and documents:
            meddled = True
            fill(node, unread, {"d0": '{"v":2}', "new": '{"v":2}'})
            assert request(node, "DELETE", f"/{unread}/_doc/d119")[0] == 200

    options = ExportOptions(unread, str(tmp_path / "x.jsonl"), shards_at_once=1)
    Export(cluster, options, progress=Progress(done=meddle)).run()
    found = documents_of(tmp_path / "x.jsonl")
    assert meddled
    assert found == {f"d{number}": {"_id": f"d{number}", "v": 1} for number in range(120)}
