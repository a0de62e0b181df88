"""What vectors cost the cluster in storage, time and memory, measured on some ten thousand of each kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from benchmarks.server import Client
from sidecar.embedding.byte_vectors import as_bytes
from sidecar.given_settings import load_settings
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE
from sidecar.opensearch.index_settings import AnnParameters, DataType, IndexSettings
from sidecar.opensearch.mapping_builder import build_embedded_fields, build_index_body
from sidecar.opensearch.node import ensure_running
from sidecar.opensearch.request_text import encode_json
from sidecar.searching.tensor import TensorQuery, build_tensor_query

_INDEX = "bench-scaling"
_FIELD = "text"
_BODY_DOCUMENTS = 250
_STREAMS = 2
_SEARCHES = 200
_SENTENCE = "A paragraph of some length stands here, so that a document takes about the room of a real one. "
_TEXT = _SENTENCE * 5
_MEGABYTE = 1024 * 1024
_HEAD = """\
| dimensions | type | docs/s | merge s | bytes a document | vector and graph of them | search ms | recall@10 |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""

Vectors = npt.NDArray[np.float32] | npt.NDArray[np.int8]


@dataclass(frozen=True)
class Case:
    """Vectors of one kind: their dimensions, and what a number of theirs is."""

    dimensions: int
    data_type: DataType = "float"

    def vectors(self, count: int) -> Vectors:
        """Always the same ones, in clusters as real ones are."""
        random = np.random.default_rng(self.dimensions)
        centres = random.standard_normal((200, self.dimensions), dtype=np.float32)
        chosen = centres[random.integers(0, len(centres), count)]
        spread = chosen + 0.6 * random.standard_normal((count, self.dimensions), dtype=np.float32)
        unit = spread / np.linalg.norm(spread, axis=1, keepdims=True)
        if self.data_type == "byte":
            return as_bytes(unit).astype(np.int8)
        return np.asarray(unit, dtype=np.float32)


@dataclass(frozen=True)
class Cost:
    """What one case cost; ``stored_bytes`` is a document's, with its text, ``graph_bytes`` what its vector and its
    place in the graph take of that, all merged into one segment."""

    case: Case
    documents_per_second: float
    merge_seconds: float
    stored_bytes: float
    graph_bytes: float
    search_ms: float
    recall: float


@click.command()
@click.option("--documents", default=50_000, show_default=True)
def main(documents: int) -> None:
    """Measure all cases on an embedded node and print them as a table in Markdown."""
    cases = [Case(384), Case(768), Case(1024), Case(384, "byte"), Case(768, "byte"), Case(1024, "byte")]
    with ensure_running(load_settings(), ephemeral=True) as node:
        client = Client(node.url)
        click.echo(_HEAD)
        for case in cases:
            cost = _measure(client, case, documents)
            click.echo(
                f"| {case.dimensions} | {case.data_type} "
                f"| {cost.documents_per_second:.0f} | {cost.merge_seconds:.1f} | "
                f"{cost.stored_bytes:.0f} | {cost.graph_bytes:.0f} | {cost.search_ms:.1f} | {cost.recall:.3f} |"
            )
        heap = client.call("GET", "/_nodes/stats/jvm")["nodes"]
        used = [stats["jvm"]["mem"]["pools"]["old"]["used_in_bytes"] / _MEGABYTE for stats in heap.values()]
        click.echo(f"old generation of the heap afterwards: {used[0]:.0f} MB")


def _measure(client: Client, case: Case, documents: int) -> Cost:
    settings = IndexSettings(number_of_shards=1, ann_parameters=AnnParameters(data_type=case.data_type))
    body = build_index_body(settings, case.dimensions, version=(3, 5, 0))
    body["mappings"]["properties"] = build_embedded_fields({_FIELD: case.dimensions}, settings)
    client.call("PUT", f"/{_INDEX}", body)
    vectors = case.vectors(documents)
    started = time.perf_counter()
    with ThreadPoolExecutor(_STREAMS) as pool:
        list(pool.map(lambda lines: Client(client.url).call("POST", f"/{_INDEX}/_bulk", lines), _bodies(vectors)))
    client.call("POST", f"/{_INDEX}/_refresh")
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    client.call("POST", f"/{_INDEX}/_forcemerge?max_num_segments=1")
    merged = time.perf_counter() - started
    primaries = _settled(client)
    files = primaries["segments"]["file_sizes"]
    graph = sum(facts["size_in_bytes"] for name, facts in files.items() if name in {"vec", "vex", "veq", "vem"})
    found = _searches(client, vectors)
    client.call("DELETE", f"/{_INDEX}")
    return Cost(
        case,
        documents / seconds,
        merged,
        primaries["store"]["size_in_bytes"] / documents,
        graph / documents,
        *found,
    )


def _settled(client: Client) -> dict[str, Any]:
    """What the cluster says of the index's files when those of the segments that were merged are gone."""
    while True:
        for step in ("_flush", "_refresh"):
            client.call("POST", f"/{_INDEX}/{step}")
        stats = client.call("GET", f"/{_INDEX}/_stats/store,segments,translog?include_segment_file_sizes=true")
        primaries: dict[str, Any] = stats["indices"][_INDEX]["primaries"]
        files = sum(facts["size_in_bytes"] for facts in primaries["segments"]["file_sizes"].values())
        rest = primaries["store"]["size_in_bytes"] - files
        if primaries["segments"]["count"] == 1 and rest < _MEGABYTE:
            return primaries
        time.sleep(0.5)


def _bodies(vectors: Vectors) -> Iterator[bytes]:
    for first in range(0, len(vectors), _BODY_DOCUMENTS):
        yield b"".join(
            BulkAction(str(first + place), _source(first + place, vector)).as_lines()
            for place, vector in enumerate(vectors[first : first + _BODY_DOCUMENTS])
        )


def _source(number: int, vector: Any) -> bytes:
    document = encode_json({_FIELD: f"{number}. {_TEXT}", "group": number % 97})
    return encode_source(document, {_FIELD: FieldEmbedding(vector[np.newaxis], [(0, len(_TEXT))])})


def _searches(client: Client, vectors: Vectors) -> tuple[float, float]:
    """The median of searches, in milliseconds, and which part of the ten nearest they found."""
    unit = vectors / np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    random = np.random.default_rng(5)
    chosen = random.integers(0, len(vectors), _SEARCHES)
    took, hits = [], 0
    for number in chosen:
        noise = random.standard_normal(vectors.shape[1], dtype=np.float32)
        query = unit[number] + 0.5 * noise / np.linalg.norm(noise)
        wanted = set(np.argpartition(-(unit @ query), 10)[:10].tolist())
        started = time.perf_counter()
        found = _search(client, as_bytes(query).astype(np.int8) if vectors.dtype == np.int8 else query)
        took.append(time.perf_counter() - started)
        hits += len(wanted & {int(document_id) for document_id in found})
    return statistics.median(took) * 1000, hits / (10 * len(chosen))


def _search(client: Client, query: Any) -> Sequence[str]:
    body = {
        "query": build_tensor_query(TensorQuery({_FIELD: query}, 10)),
        "size": 10,
        "_source": {"excludes": [EXCLUDED_FROM_SOURCE]},
    }
    answer = client.call("POST", f"/{_INDEX}/_search", encode_json(body))
    return [hit["_id"] for hit in answer["hits"]["hits"]]


if __name__ == "__main__":
    main()
