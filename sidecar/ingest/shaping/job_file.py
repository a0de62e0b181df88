"""Reads the YAML file of a load: what the options of the command line say, to be kept and run again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from sidecar.errors import InvalidArgument
from sidecar.ingest.shaping.job import JobFile, merged
from sidecar.ingest.shaping.job_schema import job_of, known_keys, known_source_keys

__all__ = ["JobFile", "merged", "read_job_file"]


def read_job_file(path: Path) -> JobFile:
    """Read a job file. Raises: InvalidArgument, with the line, the key and what it must be."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidArgument(f"The job file {path} can't be read: {error}.") from error
    if root is None or not isinstance(value, dict):
        raise InvalidArgument(f"The job file {path} must be a mapping: 'source: …', 'index: …' and so on.")
    try:
        return job_of(value)
    except ValidationError as error:
        raise InvalidArgument(_fault(path, root, error)) from error


def _fault(path: Path, root: yaml.Node, error: ValidationError) -> str:
    """The first fault, with its line and key."""
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":
        known = known_source_keys() if first["loc"][0] == "source" else known_keys()
        reason = f"there is no such key; known are {', '.join(known)}"
    else:
        reason = first["msg"]
    key = ".".join(str(step) for step in first["loc"])
    return f"The job file {path} is wrong in line {_line(root, first['loc'])}, key {key!r}: {reason}."


def _line(node: yaml.Node, steps: Sequence[str | int]) -> int:
    """Where the value that the steps lead to stands, or that of the last step there is; from 1 on."""
    line: int = node.start_mark.line
    for step in steps:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
            line = next((key.start_mark.line for key, _ in node.value if key.value == step), line)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step]
            line = found.start_mark.line
        if found is None:
            break
        node = found
    return line + 1
