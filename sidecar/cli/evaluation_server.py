"""The process in which an evaluation serves the sidecar that it measures: ``python -m sidecar.cli.evaluation_server``.

It reads a line of JSON, the cluster and the folders that it needs, tells its port as a line, and ends with its input:
so that it never outlives the process that began it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import orjson

from sidecar.given_settings import load_settings
from sidecar.listeners import open_listener
from sidecar.logs import configure_logging

UNLIMITED_BYTES = 1 << 40


def main() -> None:
    """Serve until the input ends."""
    from sidecar.wsgi import Server

    given = orjson.loads(sys.stdin.buffer.readline())
    settings = load_settings().model_copy(update=_changes(given))
    configure_logging(settings.log_level, settings.log_format)
    listener = open_listener(settings.host, settings.port)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_end_with_input, name="end-with-input", daemon=True).start()
    Server(settings, listener).run()


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """All settings that an evaluation changes: one face on a free port of this machine for one client, no query's
    vector out of memory, documents of any length, and nothing beside the requests."""
    return {
        "host": "127.0.0.1",
        "port": 0,
        "native_port": None,
        "tls_certificate": None,
        "tls_key": None,
        "api_keys": (),
        "query_cache": 0,
        "max_document_bytes": UNLIMITED_BYTES,
        "max_searchable_tensor_attributes": None,
        "preload_models": (),
        "metrics_index": None,
        "log_level": "error",
        "opensearch_url": given["opensearch_url"],
        "home": Path(given["home"]),
        "media_roots": tuple(map(Path, given["media_roots"])),
    }


def _end_with_input() -> None:
    while sys.stdin.buffer.read(1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
