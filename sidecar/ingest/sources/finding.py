"""Finds the files of a location."""

from __future__ import annotations

from sidecar.ingest.sources.files import FoundFiles
from sidecar.ingest.sources.local_files import find_local_files
from sidecar.ingest.sources.locations import local_path
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.remote_files import find_remote_files


def find_files(options: SourceOptions) -> FoundFiles:
    """The files of a location that is no index and not standard input.

    Raises: InvalidArgument where there are none, or where the place can't be read.
    """
    path = local_path(options.location)
    if path is not None:
        return find_local_files(path)
    return find_remote_files(options.location, options.storage)
