"""Spans of traces as the rest of the sidecar knows them, whatever library makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Protocol

Attributes = Mapping[str, "str | int | bool"]
Header = tuple[str, str]


class Span(Protocol):
    """One span of a trace."""

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hexadecimal digits; empty where nothing is traced."""

    def child(self, name: str, attributes: Attributes, *, is_call: bool, started: float | None = None) -> Span:
        """A span within this one, which began now, or at that reading of `time.perf_counter`; ``is_call`` where it is
        the asking side of a request to another server."""

    def headers(self) -> Mapping[str, str]:
        """The headers by which another server's spans become children of this one."""

    def note(self, name: str, value: str | int | bool) -> None:
        """Give it one more attribute."""

    def end(self, *, failure: str | None = None, ended: float | None = None) -> None:
        """End it, now or at that reading of `time.perf_counter`; ``failure`` is the type of what went wrong."""


class Tracer(Protocol):
    """Begins the traces of requests."""

    def begin(self, name: str, get_header: Callable[[str], str | None], attributes: Attributes) -> Span:
        """The span of a request, within the client's own trace where its headers name one."""

    def close(self) -> None:
        """Send what is left, in some seconds at most."""


current_span: ContextVar[Span | None] = ContextVar("span", default=None)
"""The span that the running thread works within; None where nothing is traced."""


def trace_headers() -> Mapping[str, str]:
    """The headers by which the spans of a server that is asked now become part of the trace; none where there is no
    trace. Their names are in lower case."""
    span = current_span.get()
    return {} if span is None else span.headers()


def with_trace(headers: Sequence[Header]) -> Sequence[Header]:
    """The headers with those of `trace_headers` in the place of the client's own."""
    own = trace_headers()
    if not own:
        return headers
    return [*(header for header in headers if header[0].lower() not in own), *own.items()]
