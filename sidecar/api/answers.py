"""Answers as bytes of JSON."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

JSON = "application/json"


def json_answer(body: Any, status: int = 200) -> Response:
    """The body as JSON text. Numbers that no JSON has (NaN, infinities) become null."""
    return Response(orjson.dumps(body), status, content_type=JSON)
