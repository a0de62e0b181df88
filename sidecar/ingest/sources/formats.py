"""The formats of files: which names they have, and which module reads them."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.ingest.sources.options import Format

COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")
"""Ends of names whose files are unpacked while they are read; see `compression.unpacked`."""


@dataclass(frozen=True)
class KnownFormat:
    """``module``, beside this one, has the function ``open_files(options, files)``, which gives a `Source`.
    ``suffixes`` are in lower case. Files of a ``packable`` format may be compressed as a whole."""

    module: str
    suffixes: tuple[str, ...]
    packable: bool = False


FORMATS: dict[Format, KnownFormat] = {
    Format.JSONL: KnownFormat("jsonl", (".jsonl", ".ndjson", ".json"), packable=True),
    Format.CSV: KnownFormat("delimited", (".csv",), packable=True),
    Format.TSV: KnownFormat("delimited", (".tsv", ".tab"), packable=True),
    Format.PARQUET: KnownFormat("parquet", (".parquet", ".pq")),
    Format.ARROW: KnownFormat("arrow", (".arrow", ".arrows", ".ipc", ".feather")),
    Format.IMAGES: KnownFormat("images", (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")),
    Format.TEXT: KnownFormat("texts", (".txt", ".text", ".md", ".markdown")),
}
"""Other indexes (`Format.INDEX`) are told by the scheme of their URL."""

_BY_SUFFIX = {
    suffix + packed: format
    for format, known in FORMATS.items()
    for suffix in known.suffixes
    for packed in ("", *(COMPRESSIONS if known.packable else ()))
}


def format_of(name: str) -> Format | None:
    """The format that a file's name tells, whatever its case; None where it tells none."""
    parts = name.rpartition("/")[2].lower().rsplit(".", 2)
    for count in (2, 1):
        if len(parts) > count and (format := _BY_SUFFIX.get("." + ".".join(parts[-count:]))):
            return format
    return None


def known_names() -> str:
    """All ends of names, for messages."""
    return ", ".join(suffix for known in FORMATS.values() for suffix in known.suffixes)
