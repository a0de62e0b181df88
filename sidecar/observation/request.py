"""One request while it is served: what it spends its time on, and what is told of it at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

from sidecar.errors import TooManyRequests
from sidecar.logs import FIELDS, request_id, trace_id
from sidecar.metrics import Metrics
from sidecar.observation.kinds import FACES, Asked, QueryNote, SlowLimits, Stage, Work, WriteNote
from sidecar.observation.spans import Attributes, Span, Tracer, current_span

answers = logging.getLogger("sidecar.requests")
slow = logging.getLogger("sidecar.slow")

CALLER_GONE = 499
"""The status by which a request is told of whose client went away before there was an answer (nginx has it so)."""
In = TypeVar("In")
Out = TypeVar("Out")


class Observer:
    """Begins the observation of each request; one for a process."""

    def __init__(self, metrics: Metrics, *, slow_limits: SlowLimits, tracer: Tracer | None = None) -> None:
        self.metrics = metrics
        self.slow_limits = slow_limits
        self._tracer = tracer
        # Looked up once: for each request it would cost more than the counting itself.
        self.stages = {work: {one: metrics.stages.labels(work.value, one.value) for one in Stage} for work in Work}
        self.in_progress = {face: metrics.in_progress.labels(face) for face in FACES}

    def begin(self, asked: Asked, number: str, get_header: Callable[[str], str | None]) -> Observation:
        """Observe a request from now on, in this thread; ``number`` is its id, ``get_header`` knows the headers by
        their names in lower case."""
        span = None
        if self._tracer is not None:
            attributes: Attributes = {
                "http.request.method": asked.method_label,
                "http.route": asked.route,
                "url.path": asked.path,
                "sidecar.face": asked.face,
                "sidecar.request_id": number,
            }
            span = self._tracer.begin(f"{asked.method_label} {asked.route}", get_header, attributes)
        return Observation(self, asked, number, span)

    def close(self) -> None:
        """Send what is left of traces."""
        if self._tracer is not None:
            self._tracer.close()


class Observation:
    """One request that is being served; stages may be added from any thread."""

    def __init__(self, observer: Observer, asked: Asked, number: str, span: Span | None) -> None:
        self.metrics = observer.metrics
        self._slow_limit_ms = observer.slow_limits.milliseconds.get(asked.work)
        self._stages = observer.stages[asked.work]
        self._in_progress = observer.in_progress[asked.face]
        self._asked = asked
        self._number = number
        self.span = span
        self._started = time.perf_counter()
        self._lock = threading.Lock()
        self._seconds: dict[Stage, float] = {}
        self._is_over = False
        self.note: QueryNote | WriteNote | None = None
        self.error: BaseException | None = None
        """Why it failed, where it did."""
        self.is_streamed = False
        """Whether its answer goes on for as long as the client sends: its time says nothing then."""
        self._in_progress.inc()
        self.enter()

    def enter(self) -> None:
        """Let this thread work for the request from now on."""
        request_id.set(self._number)
        trace_id.set("" if self.span is None else self.span.trace_id)
        current.set(self)
        current_span.set(self.span)
        _counting.set(self.metrics)

    def leave(self) -> None:
        """Let this thread go on with other work, which must not count as the request's."""
        request_id.set("")
        trace_id.set("")
        current.set(None)
        current_span.set(None)
        _counting.set(None)

    def add(self, stage: Stage, seconds: float) -> None:
        """One more time that a stage took."""
        self._stages[stage].observe(seconds)
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def end(self, status: int) -> None:
        """Count the request, which has been answered, and tell of it. A second call does nothing."""
        if self._is_over:
            return
        self._is_over = True
        seconds = time.perf_counter() - self._started
        asked = self._asked
        self._in_progress.dec()
        self.metrics.requests.labels(asked.route, asked.method_label, status).observe(seconds)
        if status == 429:
            self.metrics.rejected.labels("queue" if isinstance(self.error, TooManyRequests) else "cluster").inc()
        self._log(status, round(seconds * 1000, 2))
        if self.span is not None:
            self.span.note("http.response.status_code", status)
            failure = None if status < 500 else str(status) if self.error is None else type(self.error).__name__
            self.span.end(failure=failure)

    def _log(self, status: int, ms: float) -> None:
        asked = self._asked
        level = logging.DEBUG if asked.is_quiet else logging.INFO
        if answers.isEnabledFor(level):
            # Not the query: a legacy parameter may hold credentials.
            fields = {"method": asked.method, "path": asked.path, "status": status, "ms": ms}
            answers.log(level, "answered", extra={FIELDS: fields})
        if self._slow_limit_ms is not None and ms >= self._slow_limit_ms and not self.is_streamed:
            told = {} if self.note is None else self.note.fields()
            taken = self._seconds
            stages = {f"{one.value}_ms": round(taken[one] * 1000, 2) for one in Stage if one in taken}
            what = "a slow search" if asked.work is Work.SEARCH else "a slow write"
            slow.warning(what, extra={FIELDS: {"route": asked.route, **told, "status": status, "ms": ms, **stages}})


current: ContextVar[Observation | None] = ContextVar("observation", default=None)
"""The request that the running thread works for; None where it works for none."""
_counting: ContextVar[Metrics | None] = ContextVar("metrics", default=None)


def tell(note: QueryNote | WriteNote) -> None:
    """What the log may tell of the request at hand, should it be slow."""
    observation = current.get()
    if observation is not None:
        observation.note = note


def failed(error: BaseException) -> None:
    """The request at hand is answered with an error."""
    observation = current.get()
    if observation is not None:
        observation.error = error


def observed_metrics() -> Metrics | None:
    """The metrics of the work at hand; None where nobody counts it."""
    return _counting.get()


@contextmanager
def counted_in(metrics: Metrics) -> Iterator[None]:
    """The block is counted in these metrics, also where no request asked for it."""
    token = _counting.set(metrics)
    try:
        yield
    finally:
        _counting.reset(token)


def carried(function: Callable[[In], Out]) -> Callable[[In], Out]:
    """The function, run in the context of the request at hand, whatever threads call it."""
    context = copy_context()
    # A context can't be entered twice at the same time.
    return lambda value: context.copy().run(function, value)
