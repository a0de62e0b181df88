"""Waiting for a launched node to answer, and saying why it does not."""

from __future__ import annotations

import http.client
import json
import logging
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node.places import NodeFolder
from sidecar.opensearch.node.process import has_ended, port_taken, stop_process
from sidecar.opensearch.node.progress import Progress, Report

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 180.0  # about ten times a start on two busy cores
RED_SECONDS = 60.0  # shards of a large data folder come up in seconds; one that is broken never does
POLL_SECONDS = 0.1
TAIL_BYTES = 65_536

KNOWN_ENDS = (
    (
        re.compile(r"failed to obtain node locks|LockObtainFailedException"),
        "its data folder {data} is in use by another OpenSearch: stop that one, or set SIDECAR_NODE_DATA",
    ),
    (
        re.compile(r"Could not reserve enough space|insufficient memory|Cannot allocate memory|errno=12"),
        "there is not enough memory: set SIDECAR_NODE_HEAP lower (as 512m), or free some",
    ),
    (
        re.compile(r"Unrecognized (?:VM )?option|Invalid maximum heap"),
        "Java refused its options ({line}): look at OPENSEARCH_JAVA_OPTS and SIDECAR_NODE_HEAP",
    ),
    (re.compile(r"No space left on device"), "its disk is full: free some space, or set SIDECAR_NODE_DATA"),
    (
        re.compile(r"cannot downgrade a node|cannot upgrade a node|was created with version"),
        "its data in {data} are of another OpenSearch version: set SIDECAR_NODE_VERSION to that version, "
        "or SIDECAR_NODE_DATA to another folder",
    ),
)
TAKEN = re.compile(r"BindHttpException|Address already in use")
TELLING = re.compile(r"Exception|Error|ERROR|FATAL|fatal")


def wait_ready(pid: int, *, folder: NodeFolder, url: str, report: Report) -> None:
    """Return when the node answers and its cluster is not red.

    A cluster that stays red for a minute passes with a warning: one broken index must not take all away.
    Raises: EmbeddedNodeError where the node ends, or does not answer within three minutes and is stopped.
    """
    began = time.monotonic()
    answered: float | None = None
    while True:
        # At each turn, so that a caller can end the waiting by an error of its own.
        report(Progress(f"starting OpenSearch at {url}"))
        health = ask(url, "/_cluster/health")
        if health is not None:
            if health.get("status") != "red":
                return
            answered = answered or time.monotonic()
            if time.monotonic() - answered > RED_SECONDS:
                logger.warning("the embedded node's cluster is red: an index has lost a shard; log: %s", folder.log)
                return
        if has_ended(pid):
            raise ended(folder, url)
        if answered is None and time.monotonic() - began > ANSWER_SECONDS:
            stop_process(psutil.Process(pid))
            raise EmbeddedNodeError(
                f"The embedded node did not answer within {ANSWER_SECONDS:.0f} s and was stopped: look at "
                f"its log {folder.log}, or set SIDECAR_NODE_HEAP higher."
            )
        time.sleep(POLL_SECONDS)


def ask(url: str, path: str) -> dict[str, Any] | None:
    """The node's JSON answer, or None where it gives none."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else None


def ended(folder: NodeFolder, url: str) -> EmbeddedNodeError:
    """The error for a node that ended while starting: the cause in one sentence, and where to read more."""
    printed = [(file, line) for file in (folder.console, folder.log) for line in _tail(file)]
    if any(TAKEN.search(line) for _, line in printed):
        return port_taken(urlsplit(url).port or 0)
    for pattern, cause in KNOWN_ENDS:
        for file, line in printed:
            if pattern.search(line):
                return _ended(cause.format(data=folder.data, line=line), file)
    for file, line in printed:
        if TELLING.search(line):
            return _ended(line, file)
    return _ended("it said nothing, as where the system kills it for want of memory", folder.console)


def _ended(cause: str, log: Path) -> EmbeddedNodeError:
    return EmbeddedNodeError(f"The embedded node ended while starting: {cause}. Its log: {log}")


def _tail(file: Path) -> list[str]:
    text = file.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace") if file.exists() else ""
    return [line.strip() for line in text.splitlines()]
