"""What kind of place a location is, and how it is shown without its credentials."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

STANDARD_INPUT = "-"
INDEX_SCHEMES = frozenset(
    product + transport for product in ("opensearch", "elasticsearch") for transport in ("", "+http", "+https")
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SECRET_PARAMETER = re.compile(r"(?i)sig|token|key|secret|passw|credential")
"""In the names of parameters that sign a URL, or open it: X-Amz-Signature, sig, access_token …"""


def scheme_of(location: str) -> str | None:
    """The URL's scheme in lower case; None for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found else None


def local_path(location: str) -> str | None:
    """The path of a location on this machine; None for any other."""
    scheme = scheme_of(location)
    if scheme is None:
        return location
    return location[len("file://") :] if scheme == "file" else None


def shown_location(location: str) -> str:
    """The location without user and password, and without a query that signs it: for people, logs and job names."""
    if scheme_of(location) is None or "::" in location:
        return location
    parts = urlsplit(location)
    query = "" if _SECRET_PARAMETER.search(parts.query) else parts.query
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
