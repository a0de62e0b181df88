"""What stands in a job file, key by key."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt

from sidecar.ingest.loading.plan import Existing
from sidecar.ingest.shaping.job import JobFile
from sidecar.ingest.sources.options import Format


def _as_source(value: Any) -> Any:
    return {"location": value} if isinstance(value, str) else value


def _as_texts(value: Any) -> Any:
    """Options of storage are texts, as on the command line; YAML makes others of some."""
    if not isinstance(value, dict):
        return value
    return {key: str(option).lower() if isinstance(option, bool) else str(option) for key, option in value.items()}


def _as_mapping(value: Any) -> Any:
    """A list of fields has no texts for them."""
    return dict.fromkeys(value) if isinstance(value, list) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Source(_Strict):
    location: str
    format: Annotated[Format, Field(strict=False)] | None = None
    captions: str | None = None
    encoding: str | None = None
    storage: Annotated[dict[str, str], BeforeValidator(_as_texts)] | None = None


class _Job(_Strict):
    source: Annotated[_Source, BeforeValidator(_as_source)] | None = None
    index: str | None = None
    model: str | None = None
    settings: dict[str, Any] | None = None
    id_field: str | None = None
    tensor_fields: list[str] | None = None
    image_fields: list[str] | None = None
    rename: dict[str, str] | None = None
    set: dict[str, Any] | None = None
    types: dict[str, str] | None = None
    keep: list[str] | None = None
    drop: list[str] | None = None
    precomputed: Annotated[dict[str, str | None], BeforeValidator(_as_mapping)] | None = None
    existing: Annotated[Existing, Field(strict=False)] | None = None
    batch_documents: PositiveInt | None = None
    streams: PositiveInt | None = None


def job_of(value: dict[str, Any]) -> JobFile:
    """The job of a file's content. Raises: pydantic's ValidationError."""
    job = _Job.model_validate(value)
    keys: dict[str, Any] = {name: getattr(job, name) for name in job.model_fields_set if name != "source"}
    if job.source is not None:
        keys |= {name: getattr(job.source, name) for name in job.source.model_fields_set}
    for name, key in keys.items():
        if isinstance(key, list):
            keys[name] = tuple(key)
    return JobFile(**keys)


def known_keys() -> list[str]:
    """The keys of a job file."""
    return list(_Job.model_fields)


def known_source_keys() -> list[str]:
    """The keys of its ``source``."""
    return list(_Source.model_fields)
