"""The stages of the request at hand, told by what works for it, in any thread that runs in its context."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from sidecar.errors import OpenSearchTimeout, OpenSearchUnreachable
from sidecar.observation.kinds import Stage
from sidecar.observation.request import current
from sidecar.observation.spans import Attributes, Span, current_span

_DETAILS = {Stage.CLUSTER: "db.operation.name", Stage.LOAD: "sidecar.model", Stage.MEDIA: "server.address"}
"""Under which attribute a trace has a stage's detail."""


class Timed:
    """A block of a request's work, as a context manager."""

    __slots__ = ("_detail", "_observation", "_outer", "_span", "_stage", "_started")

    def __init__(self, stage: Stage | None, detail: str) -> None:
        self._stage = stage
        self._detail = detail
        self._span: Span | None = None

    def __enter__(self) -> Timed:
        self._observation = current.get()
        if self._observation is None:
            return self
        self._outer = current_span.get()
        if self._outer is not None:
            self._span = self._outer.child(*self._named(), is_call=self._stage in {None, Stage.CLUSTER, Stage.MEDIA})
            current_span.set(self._span)
        self._started = time.perf_counter()
        return self

    def note(self, name: str, value: str | int | bool) -> None:
        """Give the block's span one more attribute, where there is a span."""
        if self._span is not None:
            self._span.note(name, value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._observation is None:
            return
        if self._stage is not None:
            self._observation.add(self._stage, time.perf_counter() - self._started)
            if self._stage is Stage.CLUSTER and isinstance(error, (OpenSearchUnreachable, OpenSearchTimeout)):
                self._observation.metrics.cluster_failures.inc()
        if self._span is not None:
            self._span.end(failure=None if error is None else type(error).__name__)
            current_span.set(self._outer)

    def _named(self) -> tuple[str, Attributes]:
        if self._stage is None:
            return self._detail, {}
        name = f"{self._stage.value} {self._detail}" if self._stage is Stage.CLUSTER else self._stage.value
        attributes = {_DETAILS[self._stage]: self._detail} if self._stage in _DETAILS else {}
        return name, attributes


def stage(of: Stage, detail: str = "") -> Timed:
    """The block is that stage of the request at hand; ``detail`` is the cluster's operation, the model's name, or the
    host that a file comes from."""
    return Timed(of, detail)


def call(name: str) -> Timed:
    """The block asks another server, within some stage; a trace has it under that name."""
    return Timed(None, name)


def add_stage(of: Stage, started: float, ended: float, describe: Callable[[], Attributes]) -> None:
    """A stage of the request at hand that went on elsewhere, between two readings of `time.perf_counter`.

    ``describe`` gives the attributes of its span; it is not called where nothing is traced.
    """
    observation = current.get()
    if observation is None:
        return
    observation.add(of, ended - started)
    span = current_span.get()
    if span is not None:
        span.child(of.value, describe(), is_call=False, started=started).end(ended=ended)
