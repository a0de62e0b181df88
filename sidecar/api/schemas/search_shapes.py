"""Parts of a search of several forms, as JSON; functions of `sidecar.api.schemas.search` read them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

MAX_CONTEXT_VECTORS = 64

QueryBody = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "null"]},
                {"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1},
            ]
        }
    ),
]
"""``q`` as JSON."""
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_CONTEXT_VECTOR = {
    "type": "object",
    "properties": {"vector": _NUMBERS, "weight": {"type": "number"}},
    "required": ["vector", "weight"],
}
ContextBody = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "properties": {
                "tensor": {"type": "array", "items": _CONTEXT_VECTOR, "minItems": 1, "maxItems": MAX_CONTEXT_VECTORS}
            },
            "required": ["tensor"],
        }
    ),
]
"""``context`` as JSON."""
