"""Routes for those who run the sidecar: greeting, health, readiness, metrics, devices."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from sidecar.api.answers import json_answer
from sidecar.api.services import services
from sidecar.embedding.devices import cuda_devices, processor_use
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.model_cache import GIGABYTE
from sidecar.opensearch.cluster_health import ClusterHealth, read_health

operations = Blueprint("operations", __name__)

CONTRACT_VERSION = "1.5.1"
"""Clients compare it with the least version they work with."""


@operations.get("/")
def greet() -> Response:
    """Whether the server runs; needs neither cluster nor model."""
    return json_answer({"message": "Welcome to Marqo", "version": CONTRACT_VERSION})


@operations.get("/health")
def health() -> Response:
    """The health of the whole cluster."""
    return json_answer(health_body(read_health(services().cluster)))


@operations.get("/ready")
def ready() -> Response:
    """Whether requests can be served now: 200, or 503 with the reasons."""
    parts = services()
    troubles = parts.startup.troubles()
    reasons = [*troubles.reasons, *_engine_reasons(parts.engine)]
    body: dict[str, Any] = {"ready": not reasons, "reasons": reasons}
    if warnings := [*troubles.warnings, *_hanging_models(parts.engine)]:
        body["warnings"] = warnings
    return json_answer(body, 503 if reasons else 200)


@operations.get("/metrics")
def metrics() -> Response:
    """All metrics in Prometheus' text format."""
    return Response(services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


@operations.get("/device/cpu")
def show_processor() -> Response:
    """How busy the machine's processors and memory are."""
    use = processor_use()
    return json_answer(
        {
            "cpu_usage_percent": f"{use.busy_percent:.1f} %",
            "memory_used_percent": f"{use.memory_percent:.1f} %",
            "memory_used_gb": f"{use.memory_bytes / GIGABYTE:.1f}",
        }
    )


@operations.get("/device/cuda")
def show_cuda_devices() -> Response:
    """The graphics cards that models can run on, and their memory."""
    devices = [
        {
            "device_id": device.number,
            "device_name": device.name,
            "memory_used": f"{device.used_bytes / GIGABYTE:.1f} GiB",
            "total_memory": f"{device.total_bytes / GIGABYTE:.1f} GiB",
        }
        for device in cuda_devices()
    ]
    return json_answer({"cuda_devices": devices})


def _engine_reasons(engine: EmbeddingEngine) -> list[str]:
    running, wanted = engine.running_threads()
    if running:
        return []
    return [f"None of the {wanted} threads that embed documents runs any more; the log says why. Restart the sidecar."]


def _hanging_models(engine: EmbeddingEngine) -> list[str]:
    return [
        f"Model {name!r} has not come back from a batch in SIDECAR_EMBEDDING_TIMEOUT, and is not used until it has; "
        "all others are. Restart the sidecar when there is time."
        for name in engine.hanging_models()
    ]


def health_body(health: ClusterHealth) -> dict[str, Any]:
    """The answer to a question for health; the sidecar itself is green when it answers."""
    backend = {"status": health.status, "storage_is_available": health.storage_is_available}
    return {"status": health.status, "backend": backend}
