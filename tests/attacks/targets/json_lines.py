"""Whether a text is JSON, or lines of it, to Python's own reader."""

from __future__ import annotations

import json


def are_json(text: bytes) -> bool:
    """True for lines each of which is JSON, or empty."""
    return all(map(_is_json, text.split(b"\n")))


def _is_json(line: bytes) -> bool:
    try:
        json.loads((line or b"0").decode())
    except (ValueError, RecursionError):
        return False
    return True
