"""Starts the sidecar that an evaluation measures, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.evaluation.sidecar_http import ServedSidecar, SidecarHttp

_STOP_SECONDS = 60.0


@contextmanager
def served_sidecar(settings: Settings, folder: Path, pictures: Path | None) -> Iterator[ServedSidecar]:
    """A `sidecar serve` on the cluster of the settings, on any free port of this machine; pictures of that folder may
    be read. What it logs lies in ``folder``.

    Raises: SidecarError where it does not start.
    """
    log = folder / "server.log"
    roots = [str(root) for root in (*settings.media_roots, *([pictures] if pictures else []))]
    told = orjson.dumps({"opensearch_url": settings.opensearch_url, "home": str(settings.home), "media_roots": roots})
    command = [sys.executable, "-m", "sidecar.cli.evaluation_server"]
    with log.open("wb") as errors:
        # Not of this terminal's group: Ctrl-C is for this process, which then ends the other.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(told + b"\n")
        process.stdin.flush()
        port = process.stdout.readline().strip()
        if not port:
            raise SidecarError(f"The sidecar to evaluate does not start; its log is {log}.")
        http = SidecarHttp(int(port))
        try:
            yield ServedSidecar(http, process.pid)
        finally:
            http.close()
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
