"""Headers that a client sends for the requests by which its images are fetched."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import WithJsonSchema

from sidecar.errors import InvalidArgument

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_HEADERS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
MediaHeadersBody = Annotated[dict[str, Any], WithJsonSchema(_HEADERS)]
"""Headers as JSON, read by `parse_media_headers`."""


def parse_media_headers(key: str, value: dict[str, Any] | None) -> dict[str, str]:
    """The headers; ``key`` is what the request calls them. Raises: InvalidArgument, naming the header alone."""
    headers = {}
    for name, content in (value or {}).items():
        if not _NAME.fullmatch(name):
            raise InvalidArgument(f"{key}: {name[:100]!r} can't be the name of an HTTP header.")
        if not isinstance(content, (str, int, float)) or not _VALUE.fullmatch(str(content)):
            raise InvalidArgument(f"{key}: the value of the header {name!r} must be a string of one line, in Latin-1.")
        headers[name] = str(content)
    return headers
