"""YAML files that people write, with the line of every value, so that faults can be told by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sidecar.errors import InvalidArgument, reason_of


@dataclass(frozen=True)
class YamlFile:
    """What a file holds: a mapping, as values and as nodes that know their places."""

    value: dict[Any, Any]
    root: yaml.Node

    def line(self, place: Sequence[str | int]) -> int:
        """Where the value at the place stands, or the last that there is on the way to it; from 1 on."""
        node = self.root
        line: int = node.start_mark.line
        for step in place:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == step), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                found = (node.value[step], node.value[step])
            else:
                found = None
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        return line + 1


def read_yaml(path: Path, *, name: str, shape: str) -> YamlFile:
    """Read a file that must be a mapping; ``name`` is what the message calls it, as ``The plan``, and ``shape`` what it
    must be. Raises: InvalidArgument."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidArgument(f"{name} {path} can't be read: {why_no_yaml(error)}.") from error
    if root is None or not isinstance(value, dict):
        raise InvalidArgument(f"{name} {path} must be {shape}.")
    return YamlFile(value, root)


def why_no_yaml(error: Exception) -> str:
    """Why a file can't be read as YAML, in one line, with the place in it where there is one."""
    mark = getattr(error, "problem_mark", None)
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return reason_of(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
