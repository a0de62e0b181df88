"""`create_app`: the one place where the sidecar's parts are built and wired."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask
from prometheus_client import ProcessCollector

from sidecar.api.aliases import aliases
from sidecar.api.documentation import document_api, documentation
from sidecar.api.documents import documents
from sidecar.api.embeddings import embeddings
from sidecar.api.errors import register_error_handlers
from sidecar.api.fields import fields
from sidecar.api.indexes import indexes
from sidecar.api.inspection import inspection
from sidecar.api.keys import require_keys
from sidecar.api.models import models
from sidecar.api.operations import operations
from sidecar.api.pictures import pictures
from sidecar.api.playground import playground
from sidecar.api.points_in_time import points_in_time
from sidecar.api.recommend import recommend
from sidecar.api.request_log import log_requests
from sidecar.api.request_telemetry import tell_telemetry
from sidecar.api.search import search
from sidecar.api.services import EXTENSION, Services
from sidecar.config import Settings
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.counted_loading import counted_loading
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.media.reader import MediaReader
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ConfigurationError
from sidecar.indexing.addition import WriterParts
from sidecar.indexing.reader import DocumentReader
from sidecar.indexing.writer import DocumentWriter
from sidecar.metrics import Metrics
from sidecar.metrics_index.writer import MetricsIndex, MetricsIndexOptions
from sidecar.native.callers import Callers
from sidecar.native.declarations.pipelines import Pipelines
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.face import NativeFace
from sidecar.native.metadata import Metadata
from sidecar.native.parts import NativeParts
from sidecar.native.reading import ClusterReader
from sidecar.observation.kinds import SlowLimits, Work
from sidecar.observation.request import Observer
from sidecar.observation.spans import Tracer
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.bulk_sender import BulkWatch
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.passthrough import Passthrough
from sidecar.opensearch.switching import Switches
from sidecar.opensearch.transport import Transport
from sidecar.part_options import (
    access,
    default_device,
    engine_limits,
    media_rules,
    models_to_preload,
    transport_options,
)
from sidecar.searching.recommending import Recommender
from sidecar.searching.reranking import Reranker
from sidecar.searching.searcher import Searcher
from sidecar.startup import Startup

_BLUEPRINTS = (
    operations,
    indexes,
    inspection,
    aliases,
    documents,
    fields,
    pictures,
    search,
    recommend,
    points_in_time,
    models,
    embeddings,
    documentation,
    playground,
)


def create_app(settings: Settings) -> Flask:
    """The WSGI application, with its threads running; `close_app` ends them.

    It answers at once; the embedded node and the models to preload come in the background.
    Raises: ConfigurationError where a setting can't be used.
    """
    observer = _build_observer(settings)
    app = Flask("sidecar", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    log_requests(app, observer)
    tell_telemetry(app)
    require_keys(app, settings.api_keys)
    register_error_handlers(app)
    document_api(app, has_keys=bool(settings.api_keys))
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    parts = _build_services(settings, observer)
    app.extensions[EXTENSION] = parts
    parts.startup.begin()
    if parts.metrics_index is not None:
        parts.metrics_index.begin()
    return app


def create_native_face(app: Flask) -> NativeFace:
    """The OpenSearch-native face of an app, which shares its parts and ends with it."""
    parts: Services = app.extensions[EXTENSION]
    settings = parts.settings
    options = replace(transport_options(settings), timeout_seconds=settings.native_timeout)
    upstream = Passthrough(parts.address, options)
    embedder = create_native_embedder(app)
    reader = ClusterReader(upstream, account=settings.native_account)
    return NativeFace(
        NativeParts(
            upstream,
            Callers(upstream, are_asked_about=settings.native_account is not None),
            Metadata(reader),
            Pipelines(reader, embedder),
            embedder,
            parts.cluster,
            parts.observer,
            parts.switches,
        ),
        max_body_bytes=settings.native_max_body_bytes,
    )


def create_native_embedder(app: Flask) -> NativeEmbedder:
    """What embeds on the native face of an app, by the app's own engine."""
    parts: Services = app.extensions[EXTENSION]
    return NativeEmbedder(
        parts.engine,
        parts.media,
        parts.table,
        aliases=parts.settings.native_models,
        device=default_device(parts.settings),
    )


def restore_loads(app: Flask) -> None:
    """Restore, in the background, the settings of indexes that loads have left when they died."""
    parts: Services = app.extensions[EXTENSION]
    parts.startup.restore_loads()


def close_app(app: Flask) -> None:
    """End the app's threads and its use of the embedded node; to be called when no request is served any more."""
    parts: Services = app.extensions[EXTENSION]
    parts.media.close()
    parts.engine.close()
    release_node(app)


def release_node(app: Flask) -> None:
    """End the work in the background, and the use of the embedded node, whatever requests still do."""
    parts: Services = app.extensions[EXTENSION]
    if parts.metrics_index is not None:
        parts.metrics_index.close()
    parts.startup.close()
    parts.observer.close()


def _build_observer(settings: Settings) -> Observer:
    metrics = Metrics()
    ProcessCollector(registry=metrics.registry)
    limits = {Work.SEARCH: settings.slow_query_ms, Work.DOCUMENTS: settings.slow_write_ms}
    slow_limits = SlowLimits({work: limit for work, limit in limits.items() if limit is not None})
    return Observer(metrics, slow_limits=slow_limits, tracer=_open_tracer() if settings.traces else None)


def _open_tracer() -> Tracer:
    try:
        from sidecar.tracing import open_tracer
    except ImportError as error:
        raise ConfigurationError(
            f"SIDECAR_TRACES needs OpenTelemetry ({error}); install the extra: pip install 'vector-sidecar[otel]'"
        ) from error
    return open_tracer()


def _build_services(settings: Settings, observer: Observer) -> Services:
    metrics = observer.metrics
    address = ClusterAddress(settings.opensearch_url)
    cluster = _build_cluster(settings, address, metrics)
    states = IndexStates(cluster)
    table = ModelTable()
    loading = ModelLoading(ConversionCache(settings.models_folder), settings.backend, access(settings))
    models = ModelCache(
        counted_loading(loading.load, metrics), settings.model_memory, cuda_gigabytes=settings.cuda_model_memory
    )
    metrics.models.watch(models.in_memory, budgets=models.budgets)
    preload = models_to_preload(settings, table)
    engine = EmbeddingEngine(models, engine_limits(settings), metrics)
    reader = MediaReader(media_rules(settings))
    media = MediaEmbedder(engine, reader)
    reranker = Reranker(models, reader)
    searcher = Searcher(cluster=cluster, states=states, engine=engine, media=media, table=table, reranker=reranker)
    switches = Switches(
        JobRecords(cluster),
        deadline_seconds=settings.opensearch_retry_deadline,
        most_waiting=max(1, settings.threads // 2),
    )
    watch = BulkWatch(on_repeat=metrics.retries.inc)
    bulk = BulkWriter(cluster, retry_deadline_seconds=settings.opensearch_retry_deadline, watch=watch)
    return Services(
        settings=settings,
        metrics=metrics,
        observer=observer,
        address=address,
        cluster=cluster,
        states=states,
        engine=engine,
        media=media,
        table=table,
        writer=DocumentWriter(
            WriterParts(cluster, states, bulk, engine, media, table, metrics, switches),
            max_document_bytes=settings.max_document_bytes,
        ),
        reader=DocumentReader(cluster, states),
        switches=switches,
        searcher=searcher,
        recommender=Recommender(cluster=cluster, states=states, searcher=searcher),
        startup=Startup(settings, address=address, cluster=cluster, models=models, preload=preload),
        metrics_index=_build_metrics_index(settings, address, metrics),
    )


def _build_cluster(settings: Settings, address: ClusterAddress, metrics: Metrics) -> Cluster:
    return Cluster(
        Transport(address, transport_options(settings)),
        observe=lambda operation, seconds: metrics.cluster.labels(operation).observe(seconds),
    )


def _build_metrics_index(settings: Settings, address: ClusterAddress, metrics: Metrics) -> MetricsIndex | None:
    if settings.metrics_index is None:
        return None
    # A connection of its own, whose calls are not counted: the metrics tell of what clients asked for.
    transport = Transport(address, replace(transport_options(settings), connections=1))
    options = MetricsIndexOptions(settings.metrics_index, settings.metrics_interval, settings.metrics_days)
    return MetricsIndex(Cluster(transport), metrics.registry, options)
