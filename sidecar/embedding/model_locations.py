"""Where a model's files lie when neither its name nor the hub says so: the properties that tell it, checked.

A location is a JSON object of one key: ``path`` (a folder, file or archive on this machine), ``url``, ``s3``
(``Bucket``, ``Key``) or ``hf`` (``repo_id`` and perhaps ``filename``). Beside it stands ``auth_required`` where it is
true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sidecar.errors import InvalidArgument

LOCATION_KEYS = ("localpath", "url", "model_location")
AUTH_REQUIRED = "auth_required"
_PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "s3": (("Bucket", "Key"), ()),
    "hf": (("repo_id",), ("filename",)),
}
"""Kind of place -> its required and its optional keys."""


def read_location(where: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The location that ``localpath``, ``url`` or ``model_location`` gives; empty where none is given.

    ``where`` starts the messages. Raises: InvalidArgument for more than one of them, or one that is not of its form.
    """
    given = [key for key in LOCATION_KEYS if properties.get(key) is not None]
    if len(given) > 1:
        raise InvalidArgument(
            f"{where}: only one of {', '.join(LOCATION_KEYS)} may be given; it has {', '.join(given)}"
        )
    if not given:
        return {}
    value = properties[given[0]]
    if given[0] == "model_location":
        return _read_place(where, value)
    if not isinstance(value, str) or not value:
        raise InvalidArgument(f"{where}: {given[0]!r} must be a string that is not empty")
    if given[0] == "localpath":
        return {"path": value}
    check_url(where, value)
    return {"url": value}


def as_location_properties(location: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `read_location`."""
    if "path" in location:
        return {"localpath": location["path"]}
    if "url" in location:
        return {"url": location["url"]}
    return {"model_location": dict(location)} if location else {}


def check_url(where: str, value: object) -> None:
    """Raises: InvalidArgument unless it is a whole http or https URL without user and password."""
    fault = _url_fault(value)
    if fault:
        raise InvalidArgument(f"{where}: 'url' {fault}; give one as https://host/path")


def _url_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        return f"is no URL ({error})"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must be a whole http or https URL"
    if any(character <= " " for character in value):
        return "must not have spaces"
    # It would stand in the index's settings and in messages for all to read.
    return "must not have a user or password in it" if parts.username or parts.password else None


def _read_place(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidArgument(f"{where}: 'model_location' must be an object")
    unknown = [key for key in value if key not in (*_PLACES, AUTH_REQUIRED)]
    if unknown:
        known = ", ".join((*_PLACES, AUTH_REQUIRED))
        raise InvalidArgument(f"{where}: model_location: {unknown[0]!r} is not a known key. Known: {known}")
    kinds = [kind for kind in _PLACES if value.get(kind) is not None]
    if len(kinds) != 1:
        raise InvalidArgument(f"{where}: model_location must have exactly one of {', '.join(_PLACES)}")
    needs_auth = value.get(AUTH_REQUIRED, False)
    if not isinstance(needs_auth, bool):
        raise InvalidArgument(f"{where}: model_location.{AUTH_REQUIRED} must be true or false")
    place = _read_keys(where, kinds[0], value[kinds[0]])
    return {kinds[0]: place, **({AUTH_REQUIRED: True} if needs_auth else {})}


def _read_keys(where: str, kind: str, keys: Any) -> dict[str, str]:
    required, optional = _PLACES[kind]
    if not isinstance(keys, dict):
        raise InvalidArgument(f"{where}: model_location.{kind} must be an object with {', '.join(required)}")
    unknown = [key for key in keys if key not in (*required, *optional)]
    if unknown:
        known = ", ".join((*required, *optional))
        raise InvalidArgument(f"{where}: model_location.{kind}: {unknown[0]!r} is not a known key. Known: {known}")
    read: dict[str, str] = {}
    for key in (*required, *optional):
        value = keys.get(key)
        if value is None and key in optional:
            continue
        if not isinstance(value, str) or not value:
            raise InvalidArgument(f"{where}: model_location.{kind}.{key} must be a string that is not empty")
        read[key] = value
    return read
