"""Answers as bytes of JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response

JSON = "application/json"
NDJSON = "application/x-ndjson"


def json_answer(body: Any, status: int = 200) -> Response:
    """The body as JSON text, arrays of numpy included. Numbers that no JSON has (NaN, infinities) become null."""
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), status, content_type=JSON)


def streamed_answer(pieces: Iterator[bytes]) -> Response:
    """Lines of JSON that are sent as they come. The first piece is made here and now: raises what it raises."""
    first = next(pieces)
    return Response(_resumed(first, pieces), content_type=NDJSON)


def answer_that_reads_on(answer: Response, drain: Callable[[], None]) -> Response:
    """An answer that comes before its request's body has ended: it is sent, and the rest of the body is dropped.

    Closed without that, the connection could lose the answer.
    """
    text = answer.get_data()
    answer.response = _with_end(text, drain)
    answer.content_length = len(text)
    return answer


def _resumed(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _with_end(text: bytes, drain: Callable[[], None]) -> Iterator[bytes]:
    yield text
    drain()
