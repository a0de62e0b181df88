"""Traces of requests, as OpenTelemetry's SDK sees them in this process, and as a collector receives them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from PIL import Image

from sidecar.app import create_app
from sidecar.errors import ConfigurationError
from sidecar.given_settings import load_settings
from sidecar.tracing import OtelTracer
from tests.embedding.media.file_server import FileServer, file
from tests.fault_server import FaultServer, answer
from tests.fix_opensearch import request
from tests.fix_server import SMALL, MakeClient, Sidecar
from tests.recording_proxy import Head, RecordingProxy

NOBODY = "http://127.0.0.1:9"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"
STATE = "vendor=value"


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What the apps of this process export, kept in memory."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr("sidecar.tracing.open_tracer", lambda: OtelTracer(SimpleSpanProcessor(kept)))
    return kept


@pytest.fixture
def client(exporter: InMemorySpanExporter, make_client: MakeClient, node: str) -> FlaskClient:
    return make_client(opensearch_url=node, traces=True, media_allow_private=True)


@pytest.fixture
def filled(client: FlaskClient, exporter: InMemorySpanExporter, index_name: str) -> str:
    assert client.post(f"/indexes/{index_name}", json=SMALL).status_code == 200
    body = {"documents": [{"_id": "1", "title": "red"}], "tensorFields": ["title"]}
    assert client.post(f"/indexes/{index_name}/documents?refresh=true", json=body).status_code == 200
    return index_name


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The spans by their names; of several of a name the last."""
    return {span.name: span for span in exporter.get_finished_spans()}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def test_spans_of_added_documents_are_within_that_of_the_request(filled: str, exporter: InMemorySpanExporter) -> None:
    found = spans(exporter)
    root = found["POST /indexes/<index>/documents"]
    assert {"parse", "queue", "embed", "cluster bulk"} <= set(found)
    for name in ("parse", "queue", "embed", "cluster bulk"):
        assert parent_of(found[name]) == root.context.span_id, name
        assert root.start_time <= found[name].start_time <= found[name].end_time <= root.end_time, name
    embed = attributes(found["embed"])
    assert (embed["sidecar.model"], embed["sidecar.texts"]) == ("random/small", 1)
    assert embed["sidecar.tokens"] > 0
    assert attributes(root)["http.response.status_code"] == 200
    assert attributes(found["cluster bulk"])["http.response.status_code"] == 200
    assert root.resource.attributes["service.name"] == "vector-sidecar"


def test_a_search_has_a_span_of_each_stage_and_none_tells_contents(
    client: FlaskClient, filled: str, exporter: InMemorySpanExporter
) -> None:
    exporter.clear()
    body = {"q": "hidden-word", "filter": "title:hidden-filter"}
    assert client.post(f"/indexes/{filled}/search", json=body).status_code == 200
    assert {"parse", "queue", "embed", "cluster search"} <= set(spans(exporter))
    assert "hidden" not in " ".join(span.to_json() for span in exporter.get_finished_spans())


def test_the_clients_trace_goes_on_here(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    client.get("/", headers={"traceparent": PARENT, "X-Request-Id": "mine"})
    (root,) = exporter.get_finished_spans()
    assert f"{root.context.trace_id:032x}" == TRACE
    assert f"{root.parent.span_id:016x}" == PARENT.split("-")[2]
    assert attributes(root)["sidecar.request_id"] == "mine"


@pytest.mark.parametrize("given", ["", "00-0-0-01", "rubbish", "ff" + PARENT[2:], f"00-{'0' * 32}-{'0' * 16}-01"])
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(
    client: FlaskClient, exporter: InMemorySpanExporter, given: str
) -> None:
    assert client.get("/", headers={"traceparent": given}).status_code == 200
    (root,) = exporter.get_finished_spans()
    assert root.parent is None
    assert root.context.trace_id


def test_a_client_that_does_not_sample_is_not_traced(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    client.get("/", headers={"traceparent": UNSAMPLED})
    assert exporter.get_finished_spans() == ()


def test_an_error_of_the_cluster_is_told_by_its_type(exporter: InMemorySpanExporter, make_client: MakeClient) -> None:
    make_client(opensearch_url=NOBODY, traces=True).post("/indexes/a/search", json={"q": "x"})
    found = spans(exporter)
    for name in ("cluster read_index", "POST /indexes/<index>/search"):
        assert not found[name].status.is_ok
        assert attributes(found[name])["error.type"] == "OpenSearchUnreachable"
        assert not found[name].status.description
        assert not found[name].events


def test_a_fetched_image_is_a_span_that_tells_the_host_alone(
    client: FlaskClient, index_name: str, exporter: InMemorySpanExporter
) -> None:
    settings = {"index_defaults": {"model": "random/small", "treat_urls_and_pointers_as_images": True}}
    client.post(f"/indexes/{index_name}", json=settings)
    with FileServer() as files:
        files.answers["/secret.png"] = file(png())
        documents = [{"_id": "1", "image": files.url("/secret.png")}]
        body = {"documents": documents, "tensorFields": ["image"]}
        answered = client.post(f"/indexes/{index_name}/documents", json=body)
    assert answered.json["errors"] is False, answered.json
    found = spans(exporter)
    assert attributes(found["media"])["server.address"] == "127.0.0.1"
    assert attributes(found["embed"])["sidecar.images"] == 1
    assert "secret.png" not in " ".join(span.to_json() for span in exporter.get_finished_spans())


def test_an_endpoint_that_runs_the_model_is_told_of_the_trace(
    exporter: InMemorySpanExporter, make_client: MakeClient
) -> None:
    vectors = answer(orjson.dumps({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}))
    with FaultServer([vectors, vectors]) as endpoint:
        client = make_client(opensearch_url=NOBODY, traces=True, endpoints={endpoint.url: ""})
        properties = {"type": "endpoint", "url": endpoint.url, "name": "m", "dimensions": 2}
        body = {"model": "mine", "model_properties": properties, "input": "x"}
        answered = client.post("/v1/embeddings", json=body, headers={"traceparent": PARENT})
        assert answered.status_code == 200, answered.json
        sent = endpoint.requests[-1].head.lower()
    call = spans(exporter)["inference endpoint"]
    assert f"traceparent: 00-{TRACE}-{call.context.span_id:016x}-01" in sent


def test_log_lines_have_the_traces_id(client: FlaskClient, logged: io.StringIO) -> None:
    client.get("/indexes", headers={"traceparent": PARENT, "X-Request-Id": "with-trace"})
    assert f"answered request_id=with-trace trace_id={TRACE} method=GET" in logged.getvalue()


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sidecar.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(
        ConfigurationError, match=r"SIDECAR_TRACES needs OpenTelemetry .*pip install 'vector-sidecar\[otel\]'"
    ):
        create_app(load_settings(opensearch_url=NOBODY, traces=True))


def test_a_setting_that_the_sdk_refuses_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with pytest.raises(ConfigurationError, match="SIDECAR_TRACES: OpenTelemetry refuses its settings"):
        create_app(load_settings(opensearch_url=NOBODY, traces=True))


def test_where_traces_are_off_nothing_of_opentelemetry_is_imported() -> None:
    code = "import sys, sidecar.app; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@dataclass
class Collector:
    """A collector's OTLP route over HTTP, and the spans that it was sent."""

    url: str = ""
    spans: list[SentSpan] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    came: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes) -> None:
        sent = ExportTraceServiceRequest.FromString(body)
        with self.came:
            for of_resource in sent.resource_spans:
                self.services |= {
                    a.value.string_value for a in of_resource.resource.attributes if a.key == "service.name"
                }
                self.spans += [span for scope in of_resource.scope_spans for span in scope.spans]
            self.came.notify_all()

    def wait_for(self, trace: str, name: str) -> SentSpan:
        """The trace's span of that name."""

        def find() -> SentSpan | None:
            return next((one for one in self.spans if one.trace_id.hex() == trace and one.name == name), None)

        with self.came:
            found = self.came.wait_for(find, timeout=30)
        assert found, (name, [(one.name, one.trace_id.hex()) for one in self.spans])
        return found


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def way(node: str) -> Iterator[RecordingProxy]:
    with RecordingProxy(node) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def traced(way: RecordingProxy, collector: Collector) -> Iterator[Sidecar]:
    """A real server whose spans go to the collector, and whose way to the cluster is recorded."""
    environment = {
        "OPENSEARCH_URL": way.url,
        "SIDECAR_TRACES": "true",
        "SIDECAR_LOG_FORMAT": "json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_SERVICE_NAME": "our-sidecar",
    }
    with Sidecar(environment) as running:
        yield running


@pytest.fixture(scope="module")
def searched(traced: Sidecar, node: str) -> Iterator[str]:
    """An index of both faces with one document."""
    name = "test-traced"
    request(node, "DELETE", f"/{name}?ignore_unavailable=true")
    assert traced.post(f"/indexes/{name}", SMALL).status_code == 200
    traced.add(name, [{"_id": "1", "title": "red"}])
    yield name
    request(node, "DELETE", f"/{name}?ignore_unavailable=true")


def headers_for(number: int) -> tuple[str, dict[str, str]]:
    trace = f"{number:032x}"
    return trace, {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "tracestate": STATE}


def sent_with(way: RecordingProxy, trace: str) -> list[Head]:
    return [head for head in way.heads() if head.headers.get("traceparent", "").split("-")[1:2] == [trace]]


def test_every_call_for_a_search_of_the_indexes_face_carries_the_trace(
    traced: Sidecar, searched: str, way: RecordingProxy, collector: Collector
) -> None:
    trace, headers = headers_for(0xA1)
    way.forget()
    answered = traced.post(f"/indexes/{searched}/search", {"q": "red"}, headers=headers)
    assert [hit["_id"] for hit in answered.json()["hits"]] == ["1"]
    call = collector.wait_for(trace, "cluster search")
    assert call.kind == SentSpan.SPAN_KIND_CLIENT
    (head,) = (head for head in way.heads() if "_search" in head.target)
    assert head.headers["traceparent"] == f"00-{trace}-{call.span_id.hex()}-01"
    assert head.headers["tracestate"] == STATE
    assert way.heads() == sent_with(way, trace)
    root = collector.wait_for(trace, "POST /indexes/<index>/search")
    assert (root.kind, call.parent_span_id) == (SentSpan.SPAN_KIND_SERVER, root.span_id)
    assert collector.services == {"our-sidecar"}


def test_every_call_for_a_search_of_the_native_face_carries_the_trace(
    traced: Sidecar, searched: str, way: RecordingProxy, collector: Collector
) -> None:
    trace, headers = headers_for(0xB2)
    way.forget()
    query = {"neural": {"title": {"query_text": "green", "k": 3}}}
    answered = traced.session.post(f"{traced.native_url}/{searched}/_search", json={"query": query}, headers=headers)
    assert answered.status_code == 200, answered.text
    call = collector.wait_for(trace, "cluster search")
    embed = collector.wait_for(trace, "embed")
    root = collector.wait_for(trace, "POST native /{index}/_search")
    assert call.parent_span_id == embed.parent_span_id == root.span_id
    heads = way.heads()
    assert heads == sent_with(way, trace)
    (head,) = (head for head in heads if "_search" in head.target)
    assert head.headers["traceparent"] == f"00-{trace}-{call.span_id.hex()}-01"
    assert head.headers["tracestate"] == STATE


def test_writes_and_what_passes_as_it_is_carry_the_trace(
    traced: Sidecar, searched: str, way: RecordingProxy, collector: Collector
) -> None:
    trace, headers = headers_for(0xC3)
    way.forget()
    lines = b'{"index":{"_id":"2"}}\n{"title":"blue"}\n'
    ndjson = {**headers, "Content-Type": "application/x-ndjson"}
    assert traced.session.post(f"{traced.native_url}/{searched}/_bulk", data=lines, headers=ndjson).status_code == 200
    assert traced.session.get(f"{traced.native_url}/_cat/indices", headers=headers).status_code == 200
    body = {"documents": [{"_id": "3", "title": "green"}], "tensorFields": ["title"]}
    assert traced.post(f"/indexes/{searched}/documents", body, headers=headers).status_code == 200
    for name in ("POST native /{index}/_bulk", "GET native raw", "POST /indexes/<index>/documents", "cluster cat"):
        collector.wait_for(trace, name)
    heads = way.heads()
    assert heads == sent_with(way, trace)
    assert {"/_cat/indices"} < {head.target.partition("?")[0] for head in heads}


def test_json_lines_of_both_faces_have_both_ids(traced: Sidecar) -> None:
    trace, headers = headers_for(0xD4)
    # OpenSearch itself takes 32 hexadecimal digits only.
    for number, url in (("1" * 32, traced.url + "/indexes"), ("2" * 32, traced.native_url + "/_cat/health")):
        traced.session.get(url, headers={**headers, "X-Request-Id": number})
        line = json.loads(traced.wait_for_log(f'"request_id":"{number}"').string)
        assert (line["message"], line["trace_id"], line["status"]) == ("answered", trace, 200)


def test_a_client_without_a_trace_has_its_own_and_the_next_request_another(traced: Sidecar) -> None:
    found = set()
    for number in ("first", "second"):
        traced.get("/indexes", headers={"X-Request-Id": number})
        found.add(json.loads(traced.wait_for_log(f'"request_id":"{number}"').string)["trace_id"])
    assert len(found) == 2


def test_a_collector_that_does_not_answer_holds_up_the_end_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.tracing.CLOSE_SECONDS", 0.05)
    answered = threading.Event()

    class Stuck(SpanProcessor):
        def shutdown(self) -> None:
            answered.wait(30)

    OtelTracer(Stuck()).close()
    assert not answered.is_set(), "it came back before"
    answered.set()


def test_what_is_left_is_sent_at_the_end() -> None:
    kept = InMemorySpanExporter()
    tracer = OtelTracer(BatchSpanProcessor(kept, schedule_delay_millis=60_000))
    tracer.begin("GET /", lambda name: None, {}).end()
    assert kept.get_finished_spans() == ()
    tracer.close()
    assert [span.name for span in kept.get_finished_spans()] == ["GET /"]
