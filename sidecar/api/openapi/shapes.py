"""The JSON schemas of all shapes of the API, made together, so that what they share is told once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from sidecar.api.openapi.operation import Shape

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"


class _Schemas(GenerateJsonSchema):
    """Without titles, which only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Shapes:
    """JSON schemas: ``of`` has those of the shapes, by their keys, and ``components`` what they refer to."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        mode: JsonSchemaMode = "validation"
        adapters = [(key, mode, TypeAdapter[Any](shape)) for key, shape in shapes.items()]
        made, told = TypeAdapter.json_schemas(adapters, ref_template=_REFERENCE, schema_generator=_Schemas)
        self.of: dict[str, Schema] = {key: schema for (key, _), schema in made.items()}
        self.components: dict[str, Schema] = told.get("$defs", {})
