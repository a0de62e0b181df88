"""How a source is named and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Format(str, Enum):
    """What the rows of a source lie in."""

    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    ARROW = "arrow"
    IMAGES = "images"
    TEXT = "text"
    INDEX = "index"


@dataclass(frozen=True)
class SourceOptions:
    """``location`` is a path, a pattern, a URL (``s3://``, ``https://``, ``opensearch+https://HOST/INDEX`` …), or ``-``
    for standard input. ``format`` is told by its name where None. ``captions`` is the CSV or JSONL beside a folder of
    images, whose rows name the images; a path that leads nowhere is looked for in that folder. ``encoding`` is that of
    text files. ``storage`` are options of fsspec's filesystem, or of the connection to the cluster that is read."""

    location: str
    format: Format | None = None
    captions: str | None = None
    encoding: str = "utf-8"
    storage: Mapping[str, str] = field(default_factory=dict)
