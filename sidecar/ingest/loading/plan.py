"""What one load is to do; plain data, so that it can be sent to other processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions


class Existing(str, Enum):
    """What becomes of documents whose id is in the index already, and of a source that was loaded before.

    RESUME goes on where the last run of the job was, and replaces documents; a source that changed since, or that is
    loaded already, is told. REPLACE begins anew and replaces. ONLY_NEW begins anew and leaves documents as they are
    whose id is there.
    """

    RESUME = "resume"
    REPLACE = "replace"
    ONLY_NEW = "only-new"


@dataclass(frozen=True)
class LoadPlan:
    """``index`` is the name that the user gave: an index, or an alias of one. ``batch_documents`` and ``streams`` are
    upper bounds, within which the load adapts to the cluster."""

    source: SourceOptions
    index: str
    shape: DocumentShape = field(default_factory=DocumentShape)
    existing: Existing = Existing.RESUME
    batch_documents: int = 500
    streams: int = 4
