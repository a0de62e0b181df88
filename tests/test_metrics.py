"""What the metrics tell of real requests on both faces, of models, and of files."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from sidecar.embedding.conversion_run import Subject, build_once
from sidecar.embedding.counted_loading import counted_loading
from sidecar.embedding.loader import Modality
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media.reader import MediaReader, MediaRules
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ConversionFailed, MediaError
from sidecar.metrics import MOST_MODELS, Metrics, ModelInMemory
from sidecar.observation.request import counted_in
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Request, Transport
from tests.embedding.media.file_server import FileServer, file
from tests.fault_server import FaultServer, answer
from tests.fix_server import SMALL, MakeClient, Sidecar

SMALL_SPEC = ModelTable().resolve("random/small")
HIDDEN = "nobody-may-see-this"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Watched:
    """The growth of a server's metrics."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._before = samples(sidecar.get("/metrics").text)

    def grown(self, name: str, **labels: str) -> float:
        """How much the series of these labels have grown together, by now."""
        now = samples(self._sidecar.get("/metrics").text)
        wanted = set(labels.items())
        return sum(
            value - self._before.get((metric, own), 0.0)
            for (metric, own), value in now.items()
            if metric == name and wanted <= own
        )


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def watched(sidecar: Sidecar, index: str) -> Watched:
    sidecar.add(index, [{"_id": "1", "title": "red"}])
    return Watched(sidecar)


def test_a_search_is_timed_by_stage(sidecar: Sidecar, index: str, watched: Watched) -> None:
    sidecar.post(f"/indexes/{index}/search", {"q": f"for {index}"})
    for stage in ("parse", "queue", "embed"):
        assert watched.grown("sidecar_stage_seconds_count", work="search", stage=stage) == 1, stage
    # The index is read anew too: its document brought a field.
    assert watched.grown("sidecar_stage_seconds_count", work="search", stage="cluster") >= 1
    assert watched.grown("sidecar_batch_queries_sum") == 1
    assert watched.grown("sidecar_query_cache_misses_total") == 1
    sidecar.post(f"/indexes/{index}/search", {"q": f"for {index}"})
    assert watched.grown("sidecar_stage_seconds_count", work="search", stage="embed") == 1
    assert watched.grown("sidecar_query_cache_misses_total") == 1
    assert watched.grown("sidecar_query_cache_hits_total") == 1


def test_a_search_of_the_native_face_is_timed_by_stage(sidecar: Sidecar, index: str, watched: Watched) -> None:
    query = {"neural": {"title": {"query_text": f"native {index}", "k": 3}}}
    found = requests.post(f"{sidecar.native_url}/{index}/_search", json={"query": query}, timeout=60)
    assert found.status_code == 200, found.text
    for stage in ("parse", "queue", "embed"):
        assert watched.grown("sidecar_stage_seconds_count", work="search", stage=stage) == 1, stage
    assert watched.grown("sidecar_stage_seconds_count", work="search", stage="cluster") >= 1
    labels = {"route": "native /{index}/_search", "method": "POST", "status": "200"}
    assert watched.grown("sidecar_request_seconds_count", **labels) == 1


@pytest.mark.parametrize("face", ["indexes", "native"])
def test_documents_are_timed_by_stage(sidecar: Sidecar, index: str, watched: Watched, face: str) -> None:
    if face == "indexes":
        sidecar.add(index, [{"_id": str(number), "title": f"text {number}"} for number in range(2, 6)])
    else:
        lines = b"".join(b'{"index":{"_id":"%d"}}\n{"title":"text %d"}\n' % (n, n) for n in range(2, 6))
        headers = {"Content-Type": "application/x-ndjson"}
        requests.post(f"{sidecar.native_url}/{index}/_bulk", data=lines, headers=headers, timeout=60)
    for stage in ("parse", "queue", "embed", "cluster"):
        assert watched.grown("sidecar_stage_seconds_count", work="documents", stage=stage) >= 1, stage
    assert watched.grown("sidecar_batch_texts_sum") == 4
    assert watched.grown("sidecar_tokens_total") > 0


def test_no_request_is_left_in_progress(sidecar: Sidecar, index: str) -> None:
    requests.get(f"{sidecar.native_url}/{index}/_search", timeout=60)
    requests.get(f"{sidecar.native_url}/nothing/_doc/1", timeout=60)
    sidecar.get("/no-such-route")
    found = samples(sidecar.get("/metrics").text)
    # The one that asks.
    assert found["sidecar_requests_in_progress", frozenset({("face", "indexes")})] == 1
    assert found["sidecar_requests_in_progress", frozenset({("face", "native")})] == 0


def test_memory_is_told_by_model_and_device(sidecar: Sidecar, index: str, watched: Watched) -> None:
    found = samples(sidecar.get("/metrics").text)
    assert found["sidecar_model_bytes", frozenset({("model", "random/small"), ("device", "cpu")})] == 0.0, (
        "random vectors"
    )
    assert found["sidecar_models_loaded", frozenset()] >= 1
    assert found["sidecar_model_budget_bytes", frozenset({("kind", "cpu")})] == 4 * 1024**3


def test_neither_contents_nor_names_of_clients_become_labels(sidecar: Sidecar, index: str) -> None:
    body = {"documents": [{"_id": HIDDEN, "title": HIDDEN}], "tensorFields": ["title"]}
    sidecar.post(f"/indexes/{index}/documents", body)
    sidecar.post(f"/indexes/{HIDDEN}/search", {"q": HIDDEN, "filter": f"title:{HIDDEN}"})
    sidecar.get(f"/{HIDDEN}")
    for path in (f"/{HIDDEN}", f"/{HIDDEN}/_search", f"/_plugins/{HIDDEN}"):
        requests.get(sidecar.native_url + path, timeout=60)
    requests.request(HIDDEN[:10].upper(), sidecar.url + "/", timeout=60)
    text = sidecar.get("/metrics").text
    assert HIDDEN not in text
    assert HIDDEN[:10].upper() not in text


def test_a_model_that_is_evicted_has_no_series_any_more() -> None:
    metrics = Metrics()
    models = ModelCache(lambda spec: RandomLoader(spec.dimensions), 1.0)
    metrics.models.watch(models.in_memory, budgets=models.budgets)
    models.get(SMALL_SPEC)
    assert 'sidecar_model_bytes{device="cpu",model="random/small"}' in metrics.text().decode()
    models.eject("random/small", SMALL_SPEC.device)
    assert metrics.registry.get_sample_value("sidecar_models_loaded") == 0
    assert "random/small" not in metrics.text().decode()


def test_of_many_models_the_largest_have_series() -> None:
    metrics = Metrics()
    many = [ModelInMemory(f"model-{number}", "cpu", number) for number in range(MOST_MODELS + 50)]
    metrics.models.watch(lambda: many, budgets={})
    assert metrics.registry.get_sample_value("sidecar_models_loaded") == MOST_MODELS + 50
    assert len(re.findall(r"^sidecar_model_bytes\{", metrics.text().decode(), re.MULTILINE)) == MOST_MODELS
    assert 'model="model-49"' not in metrics.text().decode()


def test_loads_and_conversions_are_counted_by_outcome(tmp_path: Path) -> None:
    metrics = Metrics()

    def build(folder: Path) -> None:
        if "bad" in str(folder.parent):
            raise ConversionFailed("no such operator")
        (folder / "model").touch()

    def load(spec: ModelSpec) -> RandomLoader:
        place = tmp_path / spec.name / "made"
        build_once(place, lambda folder: folder if (folder / "model").exists() else None, build, Subject(spec.name, ""))
        return RandomLoader(8)

    counted = counted_loading(load, metrics)
    for name in ("good", "good", "bad"):
        try:
            counted(replace(SMALL_SPEC, name=name))
        except ConversionFailed:
            assert name == "bad"
    assert sample(metrics, "sidecar_model_load_seconds_count", outcome="ok") == 2
    assert sample(metrics, "sidecar_model_load_seconds_count", outcome="failed") == 1
    assert sample(metrics, "sidecar_model_conversion_seconds_count", outcome="ok") == 1, "the second one was there"
    assert sample(metrics, "sidecar_model_conversion_seconds_count", outcome="failed") == 1


def test_fetches_failures_and_bytes_are_counted() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    metrics = Metrics()
    reader = MediaReader(MediaRules(allow_private=True))
    try:
        with FileServer() as files, counted_in(metrics):
            files.answers["/a.png"] = file(stream.getvalue())
            loader = RandomLoader(8)
            reader.read(loader, Modality.IMAGE, MediaSource(files.url("/a.png"), None))
            with pytest.raises(MediaError):
                reader.read(loader, Modality.IMAGE, MediaSource(files.url("/none.png"), None))
    finally:
        reader.close()
    assert sample(metrics, "sidecar_media_fetches_total", outcome="ok") == 1
    assert sample(metrics, "sidecar_media_fetches_total", outcome="failed") == 1
    assert sample(metrics, "sidecar_media_bytes_total") == len(stream.getvalue())


def test_a_request_sent_again_is_counted() -> None:
    metrics = Metrics()
    with FaultServer([answer(b"{}"), b"", answer(b"{}")]) as server:
        transport = Transport(ClusterAddress(server.url), TransportOptions())
        with counted_in(metrics):
            for _ in range(2):
                assert transport.send(Request("GET", "/")).status == 200
        transport.close()
    assert sample(metrics, "sidecar_resent_requests_total") == 1


def test_documents_that_a_full_queue_refuses_are_counted(make_client: MakeClient, node: str, index_name: str) -> None:
    client = make_client(opensearch_url=node, embedding_queue=1)
    client.post(f"/indexes/{index_name}", json=SMALL)
    engine = client.application.extensions["sidecar"].engine
    engine._waiting = 1
    body = {"documents": [{"title": "x"}], "tensorFields": ["title"]}
    assert client.post(f"/indexes/{index_name}/documents", json=body).status_code == 429
    engine._waiting = 0
    text = client.get("/metrics").text
    assert 'sidecar_rejected_total{reason="queue"} 1.0' in text
    assert "sidecar_queue_limit_texts 1.0" in text
