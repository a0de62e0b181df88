"""Bytes as people read them."""

from __future__ import annotations

_UNITS = (("GB", 1e9), ("MB", 1e6))


def told_bytes(count: float) -> str:
    """``1.5 GB``, ``300 MB``; less than a megabyte is told as 0 MB."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}" if unit == "GB" else f"{count / size:.0f} {unit}"
    return "0 MB"
