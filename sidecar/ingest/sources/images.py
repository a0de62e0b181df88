"""A folder of images, perhaps with a table of what is in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.captions import read_captions
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.folders import folder
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource
from sidecar.ingest.sources.source import Record

_PART = "images"
_READABLE = ("/", "http://", "https://")

logger = logging.getLogger(__name__)


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files: documents of ``image`` (an absolute path, or a URL), ``name`` and what the captions
    say of the file.

    Raises: InvalidArgument where the captions can't be read, or the images lie where the sidecar fetches none.
    """
    if not files.files[0].address.startswith(_READABLE):
        raise InvalidArgument(
            f"The images of {files.shown} can't be embedded where they lie: bring them to this machine, or to a web "
            "server, and name the folder or the URL."
        )
    if options.captions is None:
        return folder(_PART, files, ImageReader())
    captions = read_captions(options.captions, files, options)
    unknown = captions.by_name.keys() - {file.name for file in files.files}
    if unknown:
        logger.warning(
            "%s has captions of %d files that are not in %s, such as %s",
            captions.shown, len(unknown), files.shown, min(unknown),
        )  # fmt: skip
    return folder(_PART, files, ImageReader(captions.by_name), beside=captions.fingerprint)


@dataclass(frozen=True)
class ImageReader:
    """Makes records of files, none of which is read; ``captions`` are by their names."""

    captions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __call__(self, file: SourceFile, row: int) -> Record:
        own = {"image": file.address, "name": file.name.rpartition("/")[2]}
        document = {**self.captions.get(file.name, {}), **own}
        return Record(_PART, row, document, file.size_bytes or 0, file.name)
