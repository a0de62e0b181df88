"""One interval's counts as documents, flat enough for what Dashboards draws: it can't aggregate nested fields.

There are four kinds: one document of the ``process``, one of each ``route`` that was asked, one of each ``stage`` of
requests, and one of each ``operation`` of the cluster that was called. The fields stand in
``mappings/metrics_index.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sidecar.metrics_index.counts import Counts, Spread

NATIVE = "native "
"""How the native face's routes begin, by which they are told from the other's."""
_REQUESTS = "sidecar_request_seconds"
_CLUSTER = "sidecar_opensearch_seconds"
_QUERIES = "sidecar_query_embedding_seconds"
_BATCHES = "sidecar_batch_texts"
_STAGES = "sidecar_stage_seconds"
_FETCHES = "sidecar_media_fetches"


@dataclass(frozen=True, slots=True)
class Interval:
    """Whose counts they are and when they were taken: ``ended`` is an ISO 8601 time, ``seconds`` how long it was."""

    ended: str
    seconds: float
    host: str
    instance: str


def documents_of(counts: Counts, interval: Interval) -> dict[str, dict[str, Any]]:
    """The documents of what was counted in the interval, by a key that the same series has in each interval."""
    shared = {
        "@timestamp": interval.ended,
        "interval_seconds": round(interval.seconds, 3),
        "host": interval.host,
        "instance": interval.instance,
    }
    documents = {"process": {"kind": "process", **_process(counts)}}
    documents |= {f"route {face} {route} {method}": body for (face, route, method), body in _routes(counts)}
    documents |= {f"stage {body['work']} {body['stage']}": body for body in _stages(counts)}
    documents |= {f"operation {body['operation']}": body for body in _operations(counts)}
    return {key: {**shared, **body} for key, body in documents.items()}


def _process(counts: Counts) -> dict[str, Any]:
    batches = counts.spread(_BATCHES)
    return {
        **_requests(counts),
        "rejected": int(counts.total("sidecar_rejected")),
        "texts": int(batches.total),
        "batches": int(batches.count),
        "images": int(counts.spread("sidecar_batch_images").total),
        "tokens": int(counts.total("sidecar_tokens")),
        "padding_tokens": int(counts.total("sidecar_padding_tokens")),
        "queue_texts": int(counts.total("sidecar_queue_texts")),
        "queries_embedded": int(counts.spread(_QUERIES).count),
        "query_embedding_ms": _milliseconds(counts.spread(_QUERIES)),
        "query_cache_hits": int(counts.total("sidecar_query_cache_hits")),
        "query_cache_misses": int(counts.total("sidecar_query_cache_misses")),
        "media_fetches": int(counts.total(_FETCHES)),
        "media_failures": int(counts.labelled(_FETCHES, "outcome", "failed")),
        "media_bytes": int(counts.total("sidecar_media_bytes")),
        "models": int(counts.total("sidecar_models_loaded")),
        "model_bytes": int(counts.total("sidecar_model_bytes")),
        "unchanged_fields": int(counts.total("sidecar_unchanged_fields")),
        "write_retries": int(counts.total("sidecar_write_retries")),
        "cluster_calls": int(counts.spread(_CLUSTER).count),
        "cluster_ms": _milliseconds(counts.spread(_CLUSTER)),
        "cluster_failures": int(counts.total("sidecar_opensearch_failures")),
        "memory_bytes": int(counts.total("process_resident_memory_bytes")),
        "cpu_seconds": round(counts.total("process_cpu_seconds"), 3),
    }


def _requests(counts: Counts) -> dict[str, Any]:
    """How many requests were answered, how many of them badly, and how fast."""
    client_errors = server_errors = 0.0
    for (name, labels), spread in counts.spreads.items():
        if name == _REQUESTS:
            status = dict(labels)["status"]
            client_errors += spread.count if status.startswith("4") else 0
            server_errors += spread.count if status.startswith("5") else 0
    together = counts.spread(_REQUESTS)
    return {
        "requests": int(together.count),
        "client_errors": int(client_errors),
        "server_errors": int(server_errors),
        "latency_ms": _milliseconds(together),
    }


def _routes(counts: Counts) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """A document of each route and method that was asked in the interval, by face, route and method."""
    asked: dict[tuple[str, str, str], Counts] = {}
    for key, spread in counts.spreads.items():
        if key[0] == _REQUESTS and spread.count:
            labels = dict(key[1])
            native = labels["route"].startswith(NATIVE)
            place = ("native" if native else "indexes", labels["route"].removeprefix(NATIVE), labels["method"])
            before = asked.get(place, Counts())
            asked[place] = Counts({**before.spreads, key: spread})
    for (face, route, method), of_route in asked.items():
        body = {"kind": "route", "face": face, "route": route, "method": method, **_requests(of_route)}
        yield (face, route, method), body


def _stages(counts: Counts) -> Iterator[dict[str, Any]]:
    """A document of each stage that requests of a kind went through in the interval."""
    for (name, labels), spread in counts.spreads.items():
        if name == _STAGES and spread.count:
            told = dict(labels)
            yield {
                "kind": "stage",
                "work": told["work"],
                "stage": told["stage"],
                "stage_count": int(spread.count),
                "stage_ms": _milliseconds(spread),
            }


def _operations(counts: Counts) -> Iterator[dict[str, Any]]:
    """A document of each operation of the cluster that was called in the interval."""
    for (name, labels), spread in counts.spreads.items():
        if name == _CLUSTER and spread.count:
            yield {
                "kind": "operation",
                "operation": dict(labels)["operation"],
                "cluster_calls": int(spread.count),
                "cluster_ms": _milliseconds(spread),
            }


def _milliseconds(spread: Spread) -> dict[str, float] | None:
    """Mean and percentiles of times in seconds; None of no times, so that no average counts it as 0."""
    if not spread.count:
        return None
    quantiles = {f"p{share}": round(spread.quantile(share / 100) * 1000, 3) for share in (50, 95, 99)}
    return {"mean": round(spread.mean * 1000, 3), **quantiles}
