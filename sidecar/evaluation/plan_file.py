"""Reads the YAML file that lists choices one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sidecar.broken_rules import broken_rule
from sidecar.errors import InvalidArgument, SidecarError
from sidecar.evaluation.choices import complete
from sidecar.evaluation.data.collection import Kind
from sidecar.evaluation.models import Models
from sidecar.evaluation.results import Choice
from sidecar.yaml_lines import YamlFile, read_yaml


@dataclass(frozen=True)
class PlanFile:
    """``properties`` describe models by their names; ``lines`` has the line of each choice."""

    path: Path
    choices: tuple[Choice, ...]
    lines: tuple[int, ...]
    properties: Mapping[str, Mapping[str, Any]]

    def check(self, models: Models, kind: Kind) -> None:
        """Raises: InvalidArgument, naming file and line, for a choice that can't be."""
        for choice, line in zip(self.choices, self.lines, strict=True):
            try:
                complete(choice, models, kind)
            except SidecarError as error:
                raise InvalidArgument(f"{self.path}, line {line}: {error.message}") from error


class _ChoiceBody(BaseModel):
    """One choice."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    name: str = ""
    method: str = "tensor"
    model: str | None = None
    precision: str | None = None
    max_tokens: int | None = None
    chunking: str | None = None
    alpha: float | None = None
    ef_search: int | None = None
    m: int | None = None
    ef_construction: int | None = None


class _PlanBody(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    models: dict[str, dict[str, Any]] = Field(default_factory=dict)
    choices: list[_ChoiceBody] = Field(min_length=1)


CHOICE_KEYS = tuple(_ChoiceBody.model_fields)
PLAN_KEYS = tuple(_PlanBody.model_fields)


def read_plan(path: Path) -> PlanFile:
    """Read it. Raises: InvalidArgument with the file, the line, the key, and what it must be."""
    file = read_yaml(path, name="The plan", shape="a mapping with the key 'choices', a list")
    try:
        body = _PlanBody.model_validate(file.value)
    except ValidationError as error:
        raise InvalidArgument(_fault(path, file, error)) from error
    choices = tuple(Choice(**one.model_dump() | {"method": one.method.upper()}) for one in body.choices)
    lines = tuple(file.line(("choices", number)) for number in range(len(choices)))
    return PlanFile(path, choices, lines, body.models)


def _fault(path: Path, file: YamlFile, error: ValidationError) -> str:
    first = error.errors()[0]
    place = first["loc"]
    known = CHOICE_KEYS if place[0] == "choices" and len(place) > 1 else PLAN_KEYS
    unknown = f"there is no such key; known are {', '.join(known)}"
    reason = unknown if first["type"] == "extra_forbidden" else broken_rule(first)
    return f"{path}, line {file.line(place)}, {'.'.join(map(str, place))}: {reason}."
