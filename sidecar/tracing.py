"""Traces of requests, by OpenTelemetry's SDK, which the extra ``otel`` brings.

What the SDK knows variables for it reads itself: where spans go (``OTEL_EXPORTER_OTLP_ENDPOINT``), with which headers,
how many of them (``OTEL_TRACES_SAMPLER``), under which name (``OTEL_SERVICE_NAME``). Imported only where traces are
wanted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sidecar import __version__
from sidecar.errors import ConfigurationError
from sidecar.observation.spans import Attributes

SERVICE = "vector-sidecar"
"""The service's name where ``OTEL_SERVICE_NAME`` gives no other."""
CLOSE_SECONDS = 5.0
"""How long the end of the process may wait for a collector that does not answer."""
_PROPAGATOR = TraceContextTextMapPropagator()


class OtelSpan:
    """A span, and what makes others within it."""

    __slots__ = ("_context", "_span", "_tracer")

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context: Context = set_span_in_context(span, Context())

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hexadecimal digits; empty where nothing is traced."""
        context = self._span.get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else ""

    def child(self, name: str, attributes: Attributes, *, is_call: bool, started: float | None = None) -> OtelSpan:
        """A span within this one, which began now or at that reading of `time.perf_counter`."""
        kind = SpanKind.CLIENT if is_call else SpanKind.INTERNAL
        span = self._tracer.start_span(
            name, self._context, kind, dict(attributes), start_time=None if started is None else _nanoseconds(started)
        )
        return OtelSpan(self._tracer, span)

    def headers(self) -> Mapping[str, str]:
        """The headers ``traceparent`` and, where the client sent one, ``tracestate``."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, self._context)
        return carrier

    def note(self, name: str, value: str | int | bool) -> None:
        """Give it one more attribute."""
        self._span.set_attribute(name, value)

    def end(self, *, failure: str | None = None, ended: float | None = None) -> None:
        """End it. Of what went wrong only the type is told: a message may have contents in it."""
        if failure is not None:
            self._span.set_attribute("error.type", failure)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(None if ended is None else _nanoseconds(ended))


class OtelTracer:
    """Begins the traces of requests, and sends their spans by ``processor``."""

    def __init__(self, processor: SpanProcessor) -> None:
        own = Resource({"service.name": SERVICE, "service.version": __version__})
        self._provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("sidecar", __version__)

    def begin(self, name: str, get_header: Callable[[str], str | None], attributes: Attributes) -> OtelSpan:
        """The span of a request, within the client's own trace where its headers name one."""
        carrier = {key: value for key in _PROPAGATOR.fields if (value := get_header(key)) is not None}
        context = _PROPAGATOR.extract(carrier, Context())
        return OtelSpan(self._tracer, self._tracer.start_span(name, context, SpanKind.SERVER, dict(attributes)))

    def close(self) -> None:
        """Send what is left, in some seconds at most."""
        # The SDK itself would wait for half a minute.
        closing = threading.Thread(target=self._provider.shutdown, name="close-traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def open_tracer() -> OtelTracer:
    """A tracer that sends spans by OTLP over HTTP, in the background, to where the variables ``OTEL_…`` say.

    Raises: ConfigurationError where one of these has a value that the SDK refuses.
    """
    try:
        return OtelTracer(BatchSpanProcessor(OTLPSpanExporter()))
    except ValueError as error:
        raise ConfigurationError(f"SIDECAR_TRACES: OpenTelemetry refuses its settings (OTEL_…): {error}") from error


def _nanoseconds(reading: float) -> int:
    """The time of day of a reading of `time.perf_counter`."""
    return time.time_ns() - int((time.perf_counter() - reading) * 1e9)
