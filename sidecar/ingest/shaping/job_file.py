"""Reads the YAML file of a load: what the options of the command line say, to be kept and run again."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from sidecar.broken_rules import broken_rule
from sidecar.errors import InvalidArgument
from sidecar.ingest.shaping.job import JobFile, merged
from sidecar.ingest.shaping.job_schema import job_of, known_keys, known_source_keys
from sidecar.yaml_lines import YamlFile, read_yaml

__all__ = ["JobFile", "merged", "read_job_file"]


def read_job_file(path: Path) -> JobFile:
    """Read a job file. Raises: InvalidArgument, with the line, the key and what it must be."""
    file = read_yaml(path, name="The job file", shape="a mapping: 'source: …', 'index: …' and so on")
    try:
        return job_of(file.value)
    except ValidationError as error:
        raise InvalidArgument(_fault(path, file, error)) from error


def _fault(path: Path, file: YamlFile, error: ValidationError) -> str:
    """The first fault, with its line and key."""
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":
        known = known_source_keys() if first["loc"][0] == "source" else known_keys()
        reason = f"there is no such key; known are {', '.join(known)}"
    else:
        reason = broken_rule(first)
    key = ".".join(str(step) for step in first["loc"])
    return f"The job file {path} is wrong in line {file.line(first['loc'])}, key {key!r}: {reason}."
