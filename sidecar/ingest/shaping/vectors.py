"""Fields whose vectors a source brings, in the form in which the `/indexes` API takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from sidecar.errors import InvalidArgument


def custom_vector(field: str, value: Any, content: Any) -> dict[str, Any]:
    """The object of a field mapped as ``custom_vector``: one that is it already as it is; of a list of numbers, or its
    JSON text, one with ``content`` where that is a text. Whether the numbers fit, the write path finds.

    Raises: InvalidArgument, naming the field, where there is no vector.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise InvalidArgument(f"field {field!r}, precomputed, is a text that is no JSON: {error}") from error
    if isinstance(value, dict) and isinstance(value.get("vector"), list):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list):
        raise InvalidArgument(
            f"field {field!r}, precomputed, must be a list of numbers, or an object with 'vector' (and 'content'), "
            f"not {type(value).__name__}"
        )
    return {"content": content if isinstance(content, str) else "", "vector": value}
