"""What a route takes, gives and fails with: the terms in which `sidecar.api.openapi.operations` describes them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import SidecarError

JSON = "application/json"
Shape = Any
"""A type whose JSON schema pydantic can make."""
Content = Mapping[str, Shape]
"""Media type -> the shape of such a body."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query string, or of the path."""

    name: str
    meaning: str
    shape: Shape = str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One view: its answers by their status, what of the query string it reads, and its body.

    ``errors`` are what it may fail with, besides what every request may. A body may be left out where
    ``needs_body`` is false; ``example`` is one, as JSON.
    """

    answers: Mapping[int, Content]
    parameters: tuple[Parameter, ...] = ()
    body: Content = field(default_factory=dict)
    needs_body: bool = True
    example: Any = None
    errors: tuple[type[SidecarError], ...] = ()


def json_of(shape: Shape) -> Content:
    """A body of JSON."""
    return {JSON: shape}
