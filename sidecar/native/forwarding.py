"""Requests that pass as they are: nothing of them is looked into."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.native.parts import NativeParts
from sidecar.native.request import NativeAnswer, NativeRequest
from sidecar.opensearch.passthrough import RawAnswer, RawRequest


class _Body:
    """A streamed body that lets go of its connection at its end."""

    def __init__(self, answer: RawAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.pieces()

    def close(self) -> None:
        self._answer.close()


def forward(parts: NativeParts, request: NativeRequest) -> NativeAnswer:
    """Pass a request whose body nobody has read, and its answer, as they are."""
    return send(parts, request.as_raw())


def send(parts: NativeParts, request: RawRequest) -> NativeAnswer:
    """Pass a request, and its answer as it is."""
    answer = parts.upstream.send(request)
    return NativeAnswer(answer.status, answer.headers, _Body(answer), answer.reason, is_forwarded=True)
