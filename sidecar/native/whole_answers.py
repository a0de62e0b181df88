"""Answers of the cluster that are read to their end here before they go out as they came."""

from __future__ import annotations

import zlib
from dataclasses import replace

from sidecar.native.request import NativeAnswer

_GZIP = 31  # what zlib calls it, as window bits


def whole(answer: NativeAnswer) -> NativeAnswer:
    """The answer with its body read, as a list. Raises: OpenSearchUnreachable, OpenSearchTimeout."""
    if isinstance(answer.body, list):
        return answer
    try:
        return replace(answer, body=[b"".join(answer.body)])
    finally:
        close(answer)


def decoded(answer: NativeAnswer) -> bytes:
    """The text of an answer that is `whole`; the bytes themselves of one in another encoding than gzip."""
    body = b"".join(answer.body)
    is_gzip = any(name.lower() == "content-encoding" and value == "gzip" for name, value in answer.headers)
    try:
        return zlib.decompress(body, _GZIP) if is_gzip else body
    except zlib.error:
        return body


def close(answer: NativeAnswer) -> None:
    """Let go of an answer that nobody reads, or that was read to its end."""
    let_go = getattr(answer.body, "close", None)
    if let_go is not None:
        let_go()
