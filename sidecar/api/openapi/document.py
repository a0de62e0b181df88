"""The OpenAPI document of an app: its routes, with what `sidecar.api.openapi.operations` says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

import sidecar
from sidecar.api.keys import BEARER_PATHS, is_free
from sidecar.api.openapi.failures import SCHEMAS, openai_failures, own_failures, too_long
from sidecar.api.openapi.operation import JSON, Content, Operation, Parameter, Shape
from sidecar.api.openapi.operations import OPERATIONS
from sidecar.api.openapi.shapes import Schema, Shapes
from sidecar.api.openapi.shared import PATH_PARAMETERS
from sidecar.api.origins import READING
from sidecar.errors import BodyTooLarge, OtherOrigin, SidecarError, Unauthorized, Unprocessable

VERSION = "3.1.0"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OPENAI = "embeddings."
"""Begins the names of the views that fail in the form of OpenAI's API."""
_TELEMETRY = Parameter(
    "telemetry", "Whether the answer has `telemetry`: what the request spent its time on.", bool | str
)
_REQUEST_ID = {"description": "The request's id, as the log has it.", "schema": {"type": "string"}}
_KEY, _BEARER = "key", "bearer"
_SCHEMES = {
    _KEY: {"type": "apiKey", "in": "header", "name": "x-api-key"},
    _BEARER: {"type": "http", "scheme": "bearer", "description": f"Under {BEARER_PATHS} only."},
}


def build_document(app: Flask, *, has_keys: bool) -> dict[str, Any]:
    """The document of all the app's routes. Raises: KeyError for a view that `OPERATIONS` has not."""
    shapes = Shapes({key: shape for view, told in OPERATIONS.items() for key, shape in _shapes_of(view, told)})
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) & _METHODS):
            told = _describe(rule, OPERATIONS[rule.endpoint], shapes, has_keys=has_keys)
            summary = _first_paragraph(app.view_functions[rule.endpoint])
            paths.setdefault(path, {})[method.lower()] = {"summary": summary, **told}
    components: dict[str, Any] = {"schemas": {**shapes.components, **SCHEMAS}}
    if has_keys:
        components["securitySchemes"] = _SCHEMES
    return {
        "openapi": VERSION,
        "info": {
            "title": "vector-sidecar",
            "version": sidecar.__version__,
            "description": "Search by meaning beside OpenSearch. Unknown parameters of a query string are ignored.",
        },
        "paths": paths,
        "components": components,
    }


def _shapes_of(view: str, operation: Operation) -> Iterator[tuple[str, Shape]]:
    """All shapes of the operation, each with the key that `_describe` finds its schema by."""
    for parameter in _query_parameters(operation):
        yield f"{view} {parameter.name}", parameter.shape
    for media_type, shape in operation.body.items():
        yield f"{view} body {media_type}", shape
    for status, content in operation.answers.items():
        for media_type, shape in content.items():
            yield f"{view} {status} {media_type}", shape


def _query_parameters(operation: Operation) -> tuple[Parameter, ...]:
    gives_json = any(JSON in content for content in operation.answers.values())
    return (*operation.parameters, _TELEMETRY) if gives_json else operation.parameters


def _describe(rule: Rule, operation: Operation, shapes: Shapes, *, has_keys: bool) -> dict[str, Any]:
    view = rule.endpoint
    needs_key = has_keys and not is_free(rule.rule)
    is_refused_to_pages = not has_keys and READING.isdisjoint(rule.methods or ())
    told: dict[str, Any] = {"operationId": view.replace(".", "_"), "tags": [view.partition(".")[0]]}
    parameters = [_in_path(name) for name in sorted(rule.arguments)]
    parameters += [_in_query(each, shapes.of[f"{view} {each.name}"]) for each in _query_parameters(operation)]
    if parameters:
        told["parameters"] = parameters
    if operation.body:
        content = _content(f"{view} body", operation.body, shapes)
        if operation.example is not None:
            content[JSON]["example"] = operation.example
        told["requestBody"] = {"required": operation.needs_body, "content": content}
    responses = {
        str(status): {"description": "OK", "content": _content(f"{view} {status}", content, shapes)}
        for status, content in operation.answers.items()
    }
    errors = _errors(operation, needs_key=needs_key, is_refused_to_pages=is_refused_to_pages)
    failures = _failures(view, errors, has_path=bool(rule.arguments))
    told["responses"] = {
        status: {**response, "headers": {**response.get("headers", {}), "X-Request-Id": _REQUEST_ID}}
        for status, response in (failures | responses).items()
    }
    if operation.parameters:
        told["responses"]["414"] = too_long()
    if needs_key:
        told["security"] = [{_KEY: []}, {_BEARER: []}] if rule.rule.startswith(BEARER_PATHS) else [{_KEY: []}]
    return told


def _errors(operation: Operation, *, needs_key: bool, is_refused_to_pages: bool) -> Iterator[type[SidecarError]]:
    yield from operation.errors
    yield SidecarError
    if needs_key:
        yield Unauthorized
    if is_refused_to_pages:
        yield OtherOrigin
    if operation.body:
        yield BodyTooLarge
    if operation.body or any(each.is_required or each.shape is bool for each in operation.parameters):
        yield Unprocessable


def _failures(view: str, errors: Iterator[type[SidecarError]], *, has_path: bool) -> dict[str, Any]:
    return openai_failures(errors) if view.startswith(_OPENAI) else own_failures(errors, has_path=has_path)


def _in_path(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": PATH_PARAMETERS[name], "schema": schema}


def _in_query(parameter: Parameter, schema: Schema) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.meaning,
        "schema": schema,
    }


def _content(key: str, content: Content, shapes: Shapes) -> dict[str, Any]:
    return {media_type: {"schema": shapes.of[f"{key} {media_type}"]} for media_type in content}


def _first_paragraph(described: object) -> str:
    return " ".join((described.__doc__ or "").split("\n\n")[0].split())
