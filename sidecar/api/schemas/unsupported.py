"""Keys of the API whose features this version has not yet: told, where they are given, never silently ignored."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.errors import InvalidArgument


def refuse_given(values: Mapping[str, object]) -> None:
    """Raises: InvalidArgument, naming the first key whose value is not None."""
    for key, value in values.items():
        if value is not None:
            raise InvalidArgument(f"{key!r} is not supported by this version. Leave it out, or give null.")
