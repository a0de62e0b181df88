"""The reference of the routes, from the OpenAPI document that the server itself gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from readme_tables import code, table

from sidecar.app import close_app, create_app
from sidecar.given_settings import load_settings
from sidecar.native.registry import ROUTES

Schema = dict[str, Any]

_NOBODY = "http://127.0.0.1:9"
_NAMES = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "null": "`null`"}
_ALWAYS = {"401", "414", "422", "500", "413"}
"""Statuses that are told once, at the top."""

_INTRODUCTION = """The `/indexes` API, port 8882. `GET /openapi.json` says the same to programs, `GET /docs` to people.
What the keys mean is told in [the README](../../README.md#documents-and-search),
[Searching](../search.md) and [Documents](../documents.md).

Every route may also answer 500; those with keys in their bodies 422 for a body of the wrong shape and
413 for one that is too long; where `SIDECAR_API_KEYS` are set, 401. [Errors](errors.md) has all codes.
A key that is `…` stands for any name.
"""
_NATIVE = """## The OpenSearch port

Port 9201 passes every request to the cluster as it is. These are looked into, for embedded fields,
`neural` and `hybrid` queries, and pipelines; [Forwarding](../native-forwarding.md) says when they are
changed.

"""


def routes() -> str:
    """Every route with its parameters, body, answer and codes; then the shapes; then the OpenSearch port."""
    app = create_app(load_settings(opensearch_url=_NOBODY, api_keys=()))
    try:
        document = app.test_client().get("/openapi.json").json
    finally:
        close_app(app)
    assert document is not None
    return "".join([_INTRODUCTION, *_sections(document), *_shapes(document["components"]["schemas"]), _native()])


def _sections(document: Schema) -> Iterator[str]:
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = "".join(_route(f"{method.upper()} {path}", operation))
            sections.setdefault(operation["tags"][0], []).append(told)
    for tag, texts in sorted(sections.items()):
        yield f"\n## {tag.replace('_', ' ').capitalize()}\n\n{''.join(texts)}"


def _route(name: str, operation: Schema) -> Iterator[str]:
    yield f"### {code(name)}\n\n{operation['summary'].replace('``', '`')}\n\n"
    rows = [
        (code(each["name"]), _type(each["schema"]), each["description"])
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each["name"] != "telemetry"
    ]
    if rows:
        yield table(("In the query", "Type", "Meaning"), rows) + "\n"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body, `{kind}`: {_type(content['schema'])}\n\n"
    answers, failures = [], []
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if status < "400":
            answers += [f"{status} {_type(each['schema'])}" for each in content.values()] or [status]
        elif status not in _ALWAYS:
            failures.append(" ".join([status, ", ".join(map(code, sorted(set(_codes(content)))))]).strip())
    yield f"Answers {', '.join(dict.fromkeys(answers))}."
    yield f" May fail with {'; '.join(failures)}.\n\n" if failures else "\n\n"


def _codes(value: Any) -> Iterator[str]:
    """The codes that a schema of errors allows."""
    if isinstance(value, dict):
        yield from value.get("code", {}).get("enum", []) if isinstance(value.get("code"), dict) else []
        for each in value.values():
            yield from _codes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _codes(each)


def _shapes(schemas: dict[str, Schema]) -> Iterator[str]:
    yield "## Shapes\n\n"
    for name, schema in sorted(schemas.items()):
        yield f"### {name}\n\n"
        told = str(schema.get("description", "")).split("\n\n")[0]
        yield f"{' '.join(told.split()).replace('``', '`')}\n\n" if told else ""
        required = schema.get("required", [])
        rows = [
            (code(key), _type(each), _default(each) if key not in required else "required")
            for key, each in schema.get("properties", {}).items()
        ]
        yield (table(("Key", "Type", "Default"), rows) if rows else f"{_type(schema)}\n") + "\n"


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None or isinstance(value, dict | list):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _type(schema: Schema) -> str:
    """What a value of the schema is, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return ", ".join(code(str(each)) for each in schema.get("enum", [schema.get("const")]))
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[key] if each != {"type": "null"}))
    kinds = schema.get("type", "any value")
    kinds = [kinds] if isinstance(kinds, str) else [each for each in kinds if each != "null"]
    return " or ".join(_plain(kind, schema) for kind in kinds)


def _plain(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        return _object(schema)
    limits = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    is_number = kind in {"integer", "number"}
    return " ".join([_NAMES.get(kind, kind), *(limits if is_number else [])])


def _object(schema: Schema) -> str:
    inner = [f"{code(key)}: {_type(each)}" for key, each in schema.get("properties", {}).items()]
    further = schema.get("additionalProperties")
    if isinstance(further, dict):
        inner.append(f"`…`: {_type(further)}")
    return f"object ({'; '.join(inner)})" if inner else "object"


def _native() -> str:
    rows = [(code(f"{' '.join(sorted(each.methods))} {each.template}"),) for each in ROUTES]
    return _NATIVE + table(("Request",), rows)
