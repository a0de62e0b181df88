"""The one wording of what is wrong with a filter string: the column first, then the trouble and the way out."""

from __future__ import annotations

from sidecar.errors import InvalidArgument


def filter_error(position: int, message: str) -> InvalidArgument:
    """The refusal of a filter for what stands at ``position``, in characters from 0; told as a column from 1."""
    return InvalidArgument(f"filter: column {position + 1}: {message}")
