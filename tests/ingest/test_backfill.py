"""Vectors for documents that are there, on the run's own node, while others write."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sidecar.app import create_native_face
from sidecar.cli import main
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import InvalidArgument
from sidecar.ingest.backfill import Backfill, BackfillOptions
from sidecar.ingest.checkpoint import Checkpoint
from sidecar.ingest.face_client import NDJSON, FaceClient, WsgiApp
from sidecar.opensearch.client import Cluster
from tests.fix_opensearch import request
from tests.fix_server import MakeClient, Sidecar
from tests.native.declaring.indexes import MODEL, VECTOR, declaring, send

KNN = {"index.knn": True, "number_of_shards": 1}
LOADER = RandomLoader(32)
Meddle = Callable[[int], tuple[int, bytes] | None]


class MeddledFace(FaceClient):
    """A face before each of whose bulk requests something happens, by the request's number; it may answer itself."""

    def __init__(self, face: WsgiApp, meddle: Meddle) -> None:
        super().__init__(face)
        self._meddle = meddle
        self.bulks = 0

    def request(self, method: str, target: str, body: bytes, *, content_type: str = "application/json") -> Any:
        if content_type == NDJSON:
            self.bulks += 1
            answer = self._meddle(self.bulks)
            if answer is not None:
                return answer
        return super().request(method, target, body, content_type=content_type)


@pytest.fixture
def native_face(make_client: MakeClient, node: str) -> WsgiApp:
    """The native face of an app in this process."""
    return create_native_face(make_client(opensearch_url=node).application)


@pytest.fixture
def face(native_face: WsgiApp) -> FaceClient:
    return FaceClient(native_face)


def fill(
    node: str, index: str, documents: dict[str, dict[str, Any] | str], *, action: str = "index", refresh: bool = True
) -> None:
    """Write documents past the sidecar; a document may be JSON text."""
    lines = [
        line
        for document_id, source in documents.items()
        for line in (
            json.dumps({action: {"_id": document_id}}),
            source if isinstance(source, str) else json.dumps(source),
        )
    ]
    status, answer = request(node, "POST", f"/{index}/_bulk?refresh={str(refresh).lower()}", "\n".join(lines) + "\n")
    assert (status, json.loads(answer)["errors"]) == (200, False), answer


def make(node: str, index: str, documents: dict[str, Any], **settings: Any) -> None:
    assert send(node, "PUT", f"/{index}", {"settings": {**KNN, **settings}})[0] == 200
    fill(node, index, documents)


def sources(node: str, index: str) -> dict[str, dict[str, Any]]:
    """All documents by their ids."""
    assert request(node, "POST", f"/{index}/_refresh")[0] == 200
    answer = send(node, "GET", f"/{index}/_search?size=5000")[1]
    return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}


def is_embedded(source: dict[str, Any], text: str | None = None) -> bool:
    """True where ``body_vector`` is the vector of the text, the document's own by default."""
    expected = LOADER.encode_text([source["body"] if text is None else text])[0]
    return "body_vector" in source and bool(np.allclose(source["body_vector"], expected, atol=1e-3))


def texts(count: int) -> dict[str, Any]:
    return {f"d{number}": {"body": f"text {number}"} for number in range(count)}


def command(node: str, home: Path, *arguments: str) -> Result:
    environment = {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(home)}
    return CliRunner().invoke(main, ["migrate", "backfill", *arguments], env=environment)


def test_documents_without_a_vector_get_one_and_all_else_stays(
    node: str, sidecar: Sidecar, cluster: Cluster, face: FaceClient, index_name: str
) -> None:
    own = [0.5] * 32
    make(
        node,
        index_name,
        {
            **texts(25),
            "exact": '{"n": 9007199254740993, "body": "a\\u00e9\\n\\ud83d\\ude00", "x": {"y": [1, 2, null]}}',
            "short": {"body": "r"},
            "blank": {"body": " "},
            "null": {"body": None},
            "none": {"title": "t"},
        },
    )
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    fill(node, index_name, {"own": {"body": "mine", "body_vector": own}, "cleared": {"body": "c", "body_vector": None}})
    before = sources(node, index_name)
    outcome = Backfill(cluster, face, BackfillOptions(index_name, batch_documents=7)).run()
    assert (outcome.embedded, outcome.failed, outcome.gone, outcome.conflicts) == (28, 0, 0, 0)
    after = sources(node, index_name)
    for document_id, source in after.items():
        if document_id == "own":
            assert source["body_vector"] == own
        elif document_id in {"blank", "null", "none"}:
            assert "body_vector" not in source
        else:
            assert is_embedded(source), document_id
        assert {k: v for k, v in source.items() if k != "body_vector"} == {
            k: v for k, v in before[document_id].items() if k != "body_vector"
        }
    again = Backfill(cluster, face, BackfillOptions(index_name)).run()
    assert (again.embedded, again.failed) == (0, 0)


def test_a_document_that_is_changed_meanwhile_is_read_again(
    node: str, sidecar: Sidecar, cluster: Cluster, native_face: WsgiApp, index_name: str
) -> None:
    make(node, index_name, texts(4))
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200

    def meddle(number: int) -> None:
        if number == 1:
            fill(node, index_name, {"d0": {"body": "new"}, "d1": {"title": "no body any more"}})
            assert request(node, "DELETE", f"/{index_name}/_doc/d2")[0] == 200

    outcome = Backfill(cluster, MeddledFace(native_face, meddle), BackfillOptions(index_name)).run()
    assert (outcome.embedded, outcome.conflicts, outcome.gone, outcome.failed) == (2, 2, 1, 0)
    after = sources(node, index_name)
    assert is_embedded(after["d0"], "new")
    assert after["d1"] == {"title": "no body any more"}
    assert is_embedded(after["d3"])
    assert "d2" not in after


def test_what_is_refused_for_now_is_sent_again(
    node: str, sidecar: Sidecar, cluster: Cluster, native_face: WsgiApp, index_name: str
) -> None:
    make(node, index_name, texts(3))
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    refusal = json.dumps({"error": {"type": "rejected_execution_exception", "reason": "full"}}).encode()

    def meddle(number: int) -> tuple[int, bytes] | None:
        return (429, refusal) if number < 3 else None

    meddled = MeddledFace(native_face, meddle)
    assert Backfill(cluster, meddled, BackfillOptions(index_name)).run().embedded == 3
    assert meddled.bulks == 3


def test_vectors_are_right_whatever_is_written_meanwhile(
    node: str, sidecar: Sidecar, cluster: Cluster, face: FaceClient, index_name: str
) -> None:
    make(node, index_name, texts(120), number_of_shards=3)
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200

    def write(url: str, offset: int) -> None:
        for number in range(60):
            document = {f"d{(number * 7 + offset) % 120}": {"body": f"written {number} {offset}"}}
            fill(url, index_name, document, refresh=False)

    writers = [threading.Thread(target=write, args=(url, at)) for at, url in enumerate((node, sidecar.native_url))]
    for writer in writers:
        writer.start()
    Backfill(cluster, face, BackfillOptions(index_name, batch_documents=20)).run()
    for writer in writers:
        writer.join()
    Backfill(cluster, face, BackfillOptions(index_name)).run()
    after = sources(node, index_name)
    assert len(after) == 120
    assert [document_id for document_id, source in after.items() if not is_embedded(source)] == []


def test_every_document_of_many_shards_is_found_once(
    node: str, sidecar: Sidecar, cluster: Cluster, face: FaceClient, index_name: str
) -> None:
    make(node, index_name, texts(60), number_of_shards=8)
    for number in range(6):
        target = f"/{index_name}/_doc/routed{number}?routing=r{number}&refresh=true"
        assert send(node, "PUT", target, {"body": f"routed {number}"})[0] == 201
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    # Each sequence number is there up to eight times, and a page has room for three.
    outcome = Backfill(cluster, face, BackfillOptions(index_name, batch_documents=3)).run()
    assert (outcome.embedded, outcome.conflicts, outcome.gone) == (66, 0, 0)
    after = sources(node, index_name)
    assert len(after) == 66
    assert all(is_embedded(source) for source in after.values())


def test_a_document_that_cannot_be_embedded_is_told_and_holds_up_no_other(
    node: str, sidecar: Sidecar, index_name: str, tmp_path: Path
) -> None:
    make(node, index_name, {"good": {"body": "fine"}, "bad": {"body": 5}})
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    result = command(node, tmp_path, "--index", index_name)
    assert result.exit_code == 1, result.output
    assert "1 documents embedded" in result.output
    assert "1 failed" in result.output
    assert re.search(r"bad: .*body", result.output)
    again = command(node, tmp_path, "--index", index_name, "--json")
    told = json.loads(again.stdout)
    assert (again.exit_code, told["embedded"], told["failed"], list(told["failures"])) == (1, 0, 1, ["bad"])
    assert is_embedded(sources(node, index_name)["good"])


def test_a_stopped_and_a_killed_run_are_taken_up_where_they_were(
    node: str, sidecar: Sidecar, index_name: str, tmp_path: Path
) -> None:
    make(node, index_name, texts(150))
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    arguments = ["--index", index_name, "--rate", "60", "--batch", "5"]

    def embedded() -> int:
        assert request(node, "POST", f"/{index_name}/_refresh")[0] == 200
        query = {"query": {"exists": {"field": "body_vector"}}}
        return int(send(node, "POST", f"/{index_name}/_count", query)[1]["count"])

    def run_until(number: int, sent: signal.Signals) -> int:
        environment = {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        program = [sys.executable, "-m", "sidecar", "migrate", "backfill", *arguments]
        with subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
            deadline = time.monotonic() + 60
            while embedded() < number and job.poll() is None and time.monotonic() < deadline:
                job_is_at_work.wait(0.05)
            job.send_signal(sent)
            return job.wait(60)

    job_is_at_work = threading.Event()
    assert run_until(10, signal.SIGTERM) == 130
    stopped = embedded()
    assert 10 <= stopped < 150
    assert run_until(stopped + 10, signal.SIGKILL) == -signal.SIGKILL
    killed = embedded()
    assert stopped < killed < 150
    result = command(node, tmp_path, "--index", index_name)
    assert result.exit_code == 0, result.output
    assert f"{150 - killed} documents embedded" in result.output
    assert all(is_embedded(source) for source in sources(node, index_name).values())


def test_vectors_that_are_there_are_replaced_once_though_the_run_is_interrupted(
    node: str, sidecar: Sidecar, cluster: Cluster, native_face: WsgiApp, index_name: str, tmp_path: Path
) -> None:
    assert send(sidecar.native_url, "PUT", f"/{index_name}", {"settings": KNN, "mappings": declaring()})[0] == 200
    fill(node, index_name, {key: {**source, "body_vector": [1.0] * 32} for key, source in texts(40).items()})
    path = tmp_path / "deep" / "checkpoint.json"

    def job(meddle: Meddle) -> Backfill:
        options = BackfillOptions(index_name, batch_documents=5, checkpoint=Checkpoint.at(path, [index_name]))
        return Backfill(cluster, MeddledFace(native_face, meddle), options)

    def stop(number: int) -> None:
        if number == 3:
            first.stop()

    first = job(stop)
    begun = first.run()
    assert 10 <= begun.embedded < 40
    assert path.exists()
    with pytest.raises(InvalidArgument, match="another backfill"):
        Checkpoint.at(path, ["other"])
    rest = job(lambda number: None).run()
    assert begun.embedded + rest.embedded == 40
    assert not path.exists()
    assert all(is_embedded(source) for source in sources(node, index_name).values())


def test_a_field_is_declared_and_filled_in_one_go_behind_an_alias(node: str, index_name: str, tmp_path: Path) -> None:
    names = [f"{index_name}-{letter}" for letter in "ab"]
    try:
        for name in names:
            make(node, name, {name: {"body": name}})
            meta = {"_meta": {"owner": name}}
            assert send(node, "PUT", f"/{name}/_mapping", meta)[0] == 200
            assert send(node, "PUT", f"/{name}/_alias/{index_name}")[0] == 200
        arguments = ("--index", index_name, "--field", "body_vector", "--source", "body", "--model", MODEL)
        result = command(node, tmp_path, *arguments)
        assert result.exit_code == 0, result.output
        assert "2 documents embedded" in result.output
        for name in names:
            assert is_embedded(sources(node, name)[name])
            meta = send(node, "GET", f"/{name}/_mapping")[1][name]["mappings"]["_meta"]
            assert meta["owner"] == name
            assert set(meta["sidecar"]["fields"]) == {"body_vector"}
    finally:
        request(node, "DELETE", f"/{','.join(names)}")


@pytest.fixture
def stream(node: str, index_name: str, template: str) -> Iterator[str]:
    """A data stream of two indexes with a document each, and without declarations."""
    body = {
        "index_patterns": [index_name],
        "data_stream": {},
        "template": {"settings": KNN, "mappings": {"properties": {"body": {"type": "text"}}}},
        "priority": 900,
    }
    assert send(node, "PUT", f"/_index_template/{template}", body)[0] == 200
    fill(node, index_name, {"first": {"@timestamp": 1, "body": "one"}}, action="create")
    assert send(node, "POST", f"/{index_name}/_rollover")[0] == 200
    fill(node, index_name, {"second": {"@timestamp": 2, "body": "two"}}, action="create")
    yield index_name
    request(node, "DELETE", f"/_data_stream/{index_name}")


def test_a_data_stream_is_filled(node: str, stream: str, tmp_path: Path) -> None:
    arguments = ("--index", stream, "--field", "body_vector", "--source", "body", "--model", MODEL)
    result = command(node, tmp_path, *arguments)
    assert result.exit_code == 0, result.output
    assert "2 documents embedded" in result.output
    after = sources(node, stream)
    assert set(after) == {"first", "second"}
    assert all(is_embedded(source) for source in after.values())


def test_chunks_and_vectors_under_objects_are_filled(
    node: str, sidecar: Sidecar, cluster: Cluster, face: FaceClient, index_name: str
) -> None:
    documents = {
        "dotted": {"a.text": "Dotted.", "a.other": [1]},
        "object": {"a": {"text": "One. Two. Three.", "list": [{"k": 1}]}},
        "other": {"a": {"text": "Here."}},
    }
    make(node, index_name, documents)
    fields = {
        "a.vector": {"source": "a.text", "model": MODEL},
        "parts.vector": {"source": "a.text", "model": MODEL},
    }
    mapping = {"_meta": {"sidecar": {"fields": fields}}, "properties": {"parts": {"type": "nested"}}}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", mapping)
    assert status == 200, answer
    outcome = Backfill(cluster, face, BackfillOptions(index_name)).run()
    assert (outcome.embedded, outcome.failed) == (3, 0)
    after = sources(node, index_name)
    assert after["object"]["a"]["list"] == [{"k": 1}]
    for source in after.values():
        text = source.get("a.text") or source["a"]["text"]
        vector = source.get("a.vector") or source["a"]["vector"]
        assert is_embedded({"body": text, "body_vector": vector})
        assert len(source["parts"]) >= 1
    assert len(after["object"]["parts"]) == 2
    assert Backfill(cluster, face, BackfillOptions(index_name)).run().embedded == 0


def test_fields_that_the_neural_search_plugin_s_forms_declare_are_filled(
    node: str, sidecar: Sidecar, cluster: Cluster, face: FaceClient, index_name: str
) -> None:
    native, pipeline = sidecar.native_url, index_name
    processors = [
        {"text_chunking": {"algorithm": {"delimiter": {"delimiter": "."}}, "field_map": {"long": "long_parts"}}},
        {"text_embedding": {"model_id": MODEL, "field_map": {"body": "body_vector", "long_parts": "long_vectors"}}},
    ]
    entries = {"type": "nested", "properties": {"knn": VECTOR}}
    properties = {
        "body_vector": VECTOR,
        "long_vectors": entries,
        "passage": {"type": "semantic", "model_id": MODEL},
    }
    try:
        assert send(native, "PUT", f"/_ingest/pipeline/{pipeline}", {"processors": processors})[0] == 200
        body = {"settings": KNN, "mappings": {"properties": properties}}
        assert send(native, "PUT", f"/{index_name}", body)[0] == 200
        fill(node, index_name, {"1": {"body": "b", "long": "One. Two.", "passage": "p"}, "2": {"passage": "q"}})
        setting = {"index.default_pipeline": pipeline}
        assert send(node, "PUT", f"/{index_name}/_settings", setting)[0] == 200
        outcome = Backfill(cluster, face, BackfillOptions(index_name)).run()
        assert (outcome.embedded, outcome.failed) == (2, 0)
        after = sources(node, index_name)
        assert is_embedded(after["1"])
        assert len(after["1"]["long_vectors"]) == len(after["1"]["long_parts"]) == 2
        for document_id, text in (("1", "p"), ("2", "q")):
            vector = after[document_id]["passage_semantic_info"]["embedding"]
            assert is_embedded({"body": text, "body_vector": vector})
        assert Backfill(cluster, face, BackfillOptions(index_name)).run().embedded == 0
    finally:
        request(node, "DELETE", f"/{index_name}")
        request(node, "DELETE", f"/_ingest/pipeline/{pipeline}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--field", "nothing"), "declares no field 'nothing'"),
        (("--source", "body", "--model", MODEL), "give one --field"),
        (("--checkpoint", "x"), "--checkpoint goes with --replace"),
        (("--field", "v", "--source", "body", "--model", "no/such"), "there is no model named 'no/such'"),
        ((), "declares no embedded field"),
    ],
)
def test_what_cannot_be_done_is_told(
    node: str, index_name: str, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    make(node, index_name, {"a": {"body": "b"}})
    result = command(node, tmp_path, "--index", index_name, *arguments)
    assert result.exit_code != 0
    assert told in result.output


def test_a_missing_index_is_told(node: str, index_name: str, tmp_path: Path) -> None:
    result = command(node, tmp_path, "--index", index_name)
    assert (result.exit_code, f"There is no index '{index_name}'" in result.output) == (2, True)
