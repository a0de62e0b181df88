"""A load as its user describes it, in a job file or on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.plan import Existing
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import Format, SourceOptions


@dataclass(frozen=True)
class JobFile:
    """What a job file says; None, or nothing, where it says nothing.

    ``settings`` are those of the index in the form of the `/indexes` API. The first five are of `SourceOptions`, those
    from ``id_field`` to ``precomputed`` of `DocumentShape`, the last three of `LoadPlan`.
    """

    location: str | None = None
    format: Format | None = None
    captions: str | None = None
    encoding: str | None = None
    storage: Mapping[str, str] | None = None
    index: str | None = None
    model: str | None = None
    settings: Mapping[str, Any] | None = None
    id_field: str | None = None
    tensor_fields: tuple[str, ...] | None = None
    image_fields: tuple[str, ...] | None = None
    rename: Mapping[str, str] | None = None
    set: Mapping[str, Any] | None = None
    types: Mapping[str, str] | None = None
    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    precomputed: Mapping[str, str | None] | None = None
    existing: Existing | None = None
    batch_documents: int | None = None
    streams: int | None = None

    def source(self) -> SourceOptions:
        """The source. Raises: InvalidArgument where no location is given."""
        if self.location is None:
            raise InvalidArgument("No source is given: name it behind the command, or as 'source' in the job file.")
        options = SourceOptions(self.location, self.format, self.captions)
        return replace(options, **_given(self, ("encoding", "storage")))

    def shape(self) -> DocumentShape:
        """The shape of its documents. Raises: as `DocumentShape`."""
        return DocumentShape(**_given(self, [field.name for field in fields(DocumentShape)]))


def merged(job: JobFile, over: JobFile) -> JobFile:
    """The job with what ``over``, the command line, gives in its place."""
    return replace(job, **_given(over, [field.name for field in fields(JobFile)]))


def _given(job: JobFile, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(job, name)) is not None}
