"""What each part is told of the settings."""

from __future__ import annotations

from dataclasses import replace

from sidecar.config import PreloadedModel, Settings
from sidecar.embedding.devices import resolve_device
from sidecar.embedding.engine import EngineLimits
from sidecar.embedding.load import Access
from sidecar.embedding.media.reader import MediaRules
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.errors import ConfigurationError, HardwareUnavailable, InvalidArgument, UnknownModel
from sidecar.opensearch.connections import TransportOptions


def transport_options(settings: Settings) -> TransportOptions:
    """How the cluster is spoken to."""
    return TransportOptions(
        timeout_seconds=settings.opensearch_timeout,
        connections=settings.opensearch_connections,
        verify_tls=settings.opensearch_verify_tls,
        ca_file=settings.opensearch_ca_file,
    )


def engine_limits(settings: Settings) -> EngineLimits:
    """How much is embedded at once, waits, and is remembered."""
    return EngineLimits(
        threads=settings.embedding_threads or available_processors(),
        queue_texts=settings.embedding_queue,
        query_vectors=settings.query_cache,
        run_seconds=settings.embedding_timeout,
    )


def media_rules(settings: Settings) -> MediaRules:
    """Which files are read, and within which limits."""
    return MediaRules(
        roots=settings.media_roots,
        allow_private=settings.media_allow_private,
        max_bytes=settings.media_max_bytes,
        max_pixels=settings.media_max_pixels,
        timeout_seconds=settings.media_timeout,
        threads=settings.media_threads,
        exact=settings.media_exact,
    )


def access(settings: Settings) -> Access:
    """Where models may come from."""
    return Access(
        downloads=settings.home / "downloads",
        allow_private=settings.media_allow_private,
        endpoints=settings.endpoints,
        sidecar_url=settings.embedding_url,
    )


def default_device(settings: Settings) -> str:
    """The device of models that are asked for without one. Raises: ConfigurationError."""
    try:
        return resolve_device(settings.device or None)
    except (InvalidArgument, HardwareUnavailable) as error:
        raise ConfigurationError(f"SIDECAR_DEVICE: {error.message}") from error


def models_to_preload(settings: Settings, table: ModelTable) -> list[ModelSpec]:
    """The models that are loaded at the start. Raises: ConfigurationError."""
    device = default_device(settings)
    models = [PreloadedModel(model=each) if isinstance(each, str) else each for each in settings.preload_models]
    try:
        return [replace(table.resolve(each.model, each.model_properties), device=device) for each in models]
    except (UnknownModel, InvalidArgument) as error:
        raise ConfigurationError(f"SIDECAR_PRELOAD_MODELS: {error.message}") from error
