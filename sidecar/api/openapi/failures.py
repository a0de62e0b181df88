"""Failures as OpenAPI's responses, one for each status, from the classes of errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sidecar.api.embeddings import openai_status
from sidecar.api.openapi.operation import JSON
from sidecar.errors import SidecarError

Errors = Sequence[type[SidecarError]]
_TELEMETRY = {"telemetry": {"$ref": "#/components/schemas/Telemetry"}}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
        "msg": {"type": "string"},
        "type": {"type": "string"},
        "ctx": {"type": "object"},
    },
    "required": ["loc", "msg", "type"],
}

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "Error": {
        "description": "A failure: what happened, and whose turn it is.",
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "code": {"type": "string"},
            "type": {"type": "string"},
            "link": {"type": ["string", "null"]},
            **_TELEMETRY,
        },
        "required": ["message", "code", "type", "link"],
        "additionalProperties": False,
    },
    "WrongShape": {
        "description": "What of the request has not the shape that the route reads, and where; nothing was done.",
        "type": "object",
        "properties": {"detail": {"type": "array", "items": _PROBLEM, "minItems": 1}, **_TELEMETRY},
        "required": ["detail"],
        "additionalProperties": False,
    },
    "NoSuchRoute": {
        "description": "There is no such route.",
        "type": "object",
        "properties": {"detail": {"const": "Not Found"}, **_TELEMETRY},
        "required": ["detail"],
        "additionalProperties": False,
    },
    "OpenAIError": {
        "description": "A failure, in the form of OpenAI's API.",
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "message": {"type": "string"},
                    "type": {"enum": ["invalid_request_error", "rate_limit_error", "server_error"]},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
                "required": ["message", "type", "param", "code"],
                "additionalProperties": False,
            },
            **_TELEMETRY,
        },
        "required": ["error"],
        "additionalProperties": False,
    },
}
"""The components that the responses refer to."""


def own_failures(errors: Iterable[type[SidecarError]], *, has_path: bool) -> dict[str, Any]:
    """Status -> response, in the shape of `sidecar.errors`.

    A path that has parameters may also be that of no route at all, by a slash in one of them.
    """
    grouped = _by_status((error, error.status) for error in errors)
    responses = {str(status): _own(status, found) for status, found in grouped.items()}
    if has_path:
        missing = {"$ref": "#/components/schemas/NoSuchRoute"}
        told = responses.get("404")
        if told is None:
            responses["404"] = _response("There is no such route.", missing)
        else:
            content = told["content"][JSON]
            content["schema"] = {"anyOf": [content["schema"], missing]}
    return responses


def too_long() -> dict[str, Any]:
    """The response of the HTTP server itself, which the app is not asked for."""
    return {
        "description": "The path and the query are longer than the server reads.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }


def openai_failures(errors: Iterable[type[SidecarError]]) -> dict[str, Any]:
    """Status -> response, in the shape of OpenAI's API."""
    grouped = _by_status((error, openai_status(error)) for error in errors)
    shape = {"$ref": "#/components/schemas/OpenAIError"}
    return {str(status): _response(_meaning(found), shape, status) for status, found in grouped.items()}


def _by_status(errors: Iterable[tuple[type[SidecarError], int]]) -> dict[int, list[type[SidecarError]]]:
    grouped: dict[int, list[type[SidecarError]]] = {}
    for error, status in errors:
        found = grouped.setdefault(status, [])
        if error not in found:
            found.append(error)
    return dict(sorted(grouped.items()))


def _own(status: int, errors: Errors) -> dict[str, Any]:
    if status == 422:
        return _response(_meaning(errors), {"$ref": "#/components/schemas/WrongShape"})
    codes = sorted({error.code for error in errors})
    shape = {"allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"code": {"enum": codes}}}]}
    return _response(_meaning(errors), shape, status)


def _meaning(errors: Errors) -> str:
    return " ".join(f"`{error.code}`: {' '.join((error.__doc__ or '').split())}" for error in errors)


def _response(meaning: str, shape: dict[str, Any], status: int = 0) -> dict[str, Any]:
    response: dict[str, Any] = {"description": meaning, "content": {JSON: {"schema": shape}}}
    if status == 429:
        seconds = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response
