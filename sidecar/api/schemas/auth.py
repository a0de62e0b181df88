"""Credentials that a client sends for the place of a model's files, or for the endpoint that runs it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

from sidecar.api.schemas.problems import missing, not_a
from sidecar.embedding.model_spec import ModelAuth
from sidecar.errors import InvalidArgument, Unprocessable

KEY = "modelAuth"
_KEYS = {
    "s3": (("aws_access_key_id", "aws_secret_access_key"), ("aws_session_token",)),
    "hf": (("token",), ()),
    "endpoint": (("token",), ()),
}
"""Kind of place -> its required and its optional keys."""


def _schema_of(kind: str) -> dict[str, Any]:
    required, optional = _KEYS[kind]
    text: dict[str, Any] = {"type": "string"}
    keys = {
        "type": "object",
        "properties": dict.fromkeys(required, text) | {key: {"type": ["string", "null"]} for key in optional},
        "required": list(required),
        "additionalProperties": False,
    }
    return {"type": "object", "properties": {kind: keys}, "required": [kind], "additionalProperties": False}


ModelAuthBody = Annotated[dict[str, Any] | None, WithJsonSchema({"anyOf": [*map(_schema_of, _KEYS), {"type": "null"}]})]
"""``modelAuth`` as JSON, read by `parse_model_auth`."""


def parse_model_auth(value: Any) -> ModelAuth | None:
    """The body's ``modelAuth``; None where it is null or not given.

    Raises: InvalidArgument unless it names exactly one kind of place; Unprocessable for a key that is missing there,
    or is no string. Messages never have a credential in them.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unprocessable([not_a("dict", "body", KEY)])
    given = [kind for kind, keys in value.items() if keys is not None]
    if len(given) != 1 or given[0] not in _KEYS:
        raise InvalidArgument(
            f"{KEY!r} must have exactly one of {', '.join(_KEYS)}; it has {', '.join(map(str, given)) or 'none'}."
        )
    kind = given[0]
    return ModelAuth(kind, _read_keys(kind, value[kind]))


def _read_keys(kind: str, keys: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(keys, dict):
        raise Unprocessable([not_a("dict", "body", KEY, kind)])
    required, optional = _KEYS[kind]
    unknown = sorted(str(key) for key in keys if key not in (*required, *optional))
    if unknown:
        raise InvalidArgument(
            f"{KEY}.{kind}: {unknown[0]!r} is not a known key. Known: {', '.join((*required, *optional))}."
        )
    absent = [key for key in required if keys.get(key) is None]
    if absent:
        raise Unprocessable([missing("body", KEY, kind, key) for key in absent])
    wrong = [key for key, credential in keys.items() if credential is not None and not isinstance(credential, str)]
    if wrong:
        raise Unprocessable([not_a("string", "body", KEY, kind, key) for key in wrong])
    return tuple((key, credential) for key, credential in keys.items() if credential is not None)
