"""Documents of the run's own node come out as they are stored, or not at all."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sidecar.cli import main
from sidecar.errors import IndexNotFound, InvalidArgument, OpenSearchError
from sidecar.ingest.exporting import parquet
from sidecar.ingest.exporting.export import Export, ExportStopped, ExportSummary, Progress
from sidecar.ingest.exporting.options import ExportFormat, ExportOptions
from sidecar.opensearch.client import Cluster
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar
from tests.native.declaring.indexes import VECTOR, declaring, send

UNREAD = {"settings": {"number_of_shards": 2}, "mappings": {"dynamic": False}}
"""An index whose documents may be anything: the cluster looks into none."""
TEXT = "An é, a 😀. And more! And the end."

_NUMBERS = ("0", "-0.0", "1.0", "1e5", "1E-7", "1.50", "9007199254740993", "1234567890" * 3, "0.1234567890123456789")
_STRINGS = ('"\\u00e9"', '"\\ud83d\\ude00"', '"a\\/b\\n\\"\\\\"', '"\\ud800"', '"//no /* comment */"', '"ü😀"', '""')
PLAIN = st.one_of(st.sampled_from((*_NUMBERS, *_STRINGS, "true", "null")), st.text(max_size=8).map(json.dumps))
KEYS = st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=5)
COMMENT = "/* a \n comment */"
BLANKS = st.sampled_from(("", "\n  ", COMMENT))


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON texts of objects, with blanks and comments between their members."""

    def text(members: dict[str, str], blank: str) -> str:
        return "{" + f",{blank}".join(f"{json.dumps(key)}:{blank}{value}" for key, value in members.items()) + "}"

    return st.builds(text, st.dictionaries(KEYS, inner, max_size=3), BLANKS)


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")


VALUES = st.recursive(PLAIN, lambda inner: objects(inner) | lists(inner), max_leaves=5)
DOCUMENTS = st.lists(objects(VALUES), min_size=1, max_size=8)
"""JSON texts of documents, in any spelling."""


def fill(node: str, index: str, documents: dict[str, str], *, routing: str | None = None) -> None:
    """Write documents past the sidecar, by their JSON texts."""
    for document_id, text in documents.items():
        target = f"/{index}/_doc/{document_id}" + ("" if routing is None else f"?routing={routing}")
        status, answer = request(node, "PUT", target, text.encode())
        assert status in {200, 201}, answer


def exported(cluster: Cluster, index: str, to: Path, **options: Any) -> ExportSummary:
    return Export(cluster, ExportOptions(index, str(to), **options)).run()


def lines(path: Path) -> dict[str, bytes]:
    """The lines of a file by the ids of their documents."""
    found = path.read_bytes().splitlines()
    return {json.loads(line)["_id"]: line for line in found}


def documents_of(path: Path) -> dict[str, dict[str, Any]]:
    return {document_id: json.loads(line) for document_id, line in lines(path).items()}


@pytest.fixture
def unread(node: str, index_name: str) -> str:
    """An empty index of `UNREAD`."""
    assert send(node, "PUT", f"/{index_name}", UNREAD)[0] == 200
    return index_name


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index of the ``/indexes`` API with 40 documents."""
    sidecar.add(index, [{"_id": f"d{number}", "title": f"{TEXT} {number}", "n": number} for number in range(40)])
    return index


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


def broken_off(node: str, cluster: Cluster, unread: str, to: str, error: type[Exception]) -> None:
    """Let an export raise an error after its first page."""
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(120)})

    def fail(documents: int) -> None:
        raise error("broken off")

    with pytest.raises(error):
        Export(cluster, ExportOptions(unread, to), progress=Progress(done=fail)).run()


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.zst", "x.parquet", "folder/", "file://"])
def test_nothing_is_left_of_an_export_that_fails(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, name: str
) -> None:
    to = f"file://{tmp_path}/x.jsonl" if name == "file://" else f"{tmp_path}/{name}"
    broken_off(node, cluster, unread, to, ValueError)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_where_the_new_export_fails(
    node: str, cluster: Cluster, unread: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("before")
    with pytest.raises(InvalidArgument, match="overwrite"):
        exported(cluster, unread, path)
    fill(node, unread, {"d": "{}"})
    export = Export(cluster, ExportOptions(unread, str(path), overwrite=True))
    export.stop()
    with pytest.raises(ExportStopped):
        export.run()
    assert path.read_text() == "before"
    assert exported(cluster, unread, path, overwrite=True).documents == 1
    assert path.read_text() == '{"_id":"d"}\n'


KILLED = """
import os, signal, sys
from sidecar.ingest.exporting.export import Export, Progress
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport

cluster = Cluster(Transport(ClusterAddress(sys.argv[1]), TransportOptions()))
progress = Progress(done=lambda documents: os.kill(os.getpid(), signal.SIGKILL))
Export(cluster, ExportOptions(sys.argv[2], sys.argv[3]), progress=progress).run()
"""


@pytest.mark.parametrize("name", ["x.jsonl", "folder/"])
def test_a_killed_export_leaves_nothing_under_its_name(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, name: str
) -> None:
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(120)})
    to = f"{tmp_path}/{name}"
    command = [sys.executable, "-c", KILLED, node, unread, to]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".partial"]
    assert Export(cluster, ExportOptions(unread, to)).run().documents == 120


def test_a_snapshot_that_is_gone_is_told(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(400)})

    def expire(documents: int) -> None:
        request(node, "DELETE", "/_search/point_in_time/_all")

    options = ExportOptions(unread, str(tmp_path / "x.jsonl"), shards_at_once=1)
    with pytest.raises(OpenSearchError, match=f"The snapshot of index '{unread}' is gone"):
        Export(cluster, options, progress=Progress(done=expire)).run()
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("x.txt", "--format"),
        ("nowhere/x.jsonl", "no folder"),
        ("nix://x.jsonl", "can't be written"),
        (".", "there already"),
    ],
)
def test_a_place_that_can_t_be_written_is_told(
    cluster: Cluster, unread: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    with pytest.raises(InvalidArgument, match=reason):
        Export(cluster, ExportOptions(unread, to)).run()


def test_an_unknown_index_and_one_without_sources_are_told(
    node: str, cluster: Cluster, index_name: str, tmp_path: Path
) -> None:
    with pytest.raises(IndexNotFound):
        exported(cluster, index_name, tmp_path / "x.jsonl")
    assert send(node, "PUT", f"/{index_name}", {"mappings": {"_source": {"enabled": False}}})[0] == 200
    with pytest.raises(InvalidArgument, match="does not keep its documents"):
        exported(cluster, index_name, tmp_path / "x.jsonl")


def command(node: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], env={"OPENSEARCH_URL": node})


def test_the_command_writes_documents_and_tells_what_it_did(node: str, filled: str, tmp_path: Path) -> None:
    query = tmp_path / "query.json"
    query.write_text('{"query": {"term": {"n": 7}}}')
    path = tmp_path / "x.jsonl"
    done = command(node, filled, "--to", str(path), "--query", str(query), "--fields", "n,nix", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["documents"], told["files"], told["fields_not_found"]) == (1, 1, ["nix"])
    assert path.read_text() == '{"_id":"d7","n":7}\n'
    again = command(node, filled, "--to", str(path))
    assert (again.exit_code, "--overwrite" in again.stderr) == (1, True)
    assert command(node, "no-such-index", "--to", str(path), "--overwrite").exit_code == 1
    assert path.read_text() == '{"_id":"d7","n":7}\n'


def test_documents_go_to_standard_output_and_all_else_beside_it(node: str, filled: str) -> None:
    environment = {**os.environ, "OPENSEARCH_URL": node, "PYTHONPATH": str(Path.cwd())}
    arguments = [sys.executable, "-m", "sidecar", "export", filled, "--to", "-", "--limit", "3"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3
    assert f"3 documents of {filled} are on standard output" in done.stderr
