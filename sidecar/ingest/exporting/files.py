"""The files of an export: one for all documents, or one for each slice of an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from sidecar.ingest.exporting.destinations import Destination
from sidecar.ingest.exporting.sinks import Sink


class ExportFiles:
    """Opens files as documents come; for one thread. ``count`` is how many there are."""

    def __init__(
        self, destination: Destination, make_sink: Callable[[BinaryIO], Sink], *, suffix: str, is_folder: bool
    ) -> None:
        self._destination = destination
        self._make_sink = make_sink
        self._suffix = suffix
        self._is_folder = is_folder
        self._sinks: dict[str, Sink] = {}
        self.count = 0

    def of(self, index: str, number: int) -> Sink:
        """Where the documents of a slice go."""
        name = f"{index}-{number:05d}" if self._is_folder else ""
        sink = self._sinks.get(name)
        if sink is None:
            sink = self._sinks[name] = self._make_sink(self._destination.open(f"{name}.{self._suffix}"))
            self.count += 1
        return sink

    def end(self, index: str, number: int) -> None:
        """No more documents of the slice will come."""
        sink = self._sinks.pop(f"{index}-{number:05d}", None)
        if sink is not None:
            sink.close()

    def close(self, index: str) -> None:
        """Close all files; where there was no document, one without any is made for the index."""
        if not self.count:
            self.of(index, 0)
        for sink in self._sinks.values():
            sink.close()
