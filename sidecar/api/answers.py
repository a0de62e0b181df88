"""Answers as bytes of JSON."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

JSON = "application/json"


def json_answer(body: Any, status: int = 200) -> Response:
    """The body as JSON text, arrays of numpy included. Numbers that no JSON has (NaN, infinities) become null."""
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), status, content_type=JSON)
