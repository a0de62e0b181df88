"""Whether the ports are free, or the sidecar's own."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from sidecar.doctor.finding import Finding, error, ok
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import ConfigurationError
from sidecar.listeners import open_listener
from sidecar.opensearch.node.process import LOOPBACK


def check(about: Surroundings) -> Iterator[Finding]:
    """Each port that a server of these settings would listen on."""
    settings = about.settings
    yield _port(settings.host, settings.port, "port", "of the /indexes API")
    if settings.native_port is not None:
        yield _port(settings.host, settings.native_port, "native_port", "that speaks as OpenSearch")
    if not settings.uses_embedded_node:
        return
    if about.node is not None:
        yield ok(f"the embedded OpenSearch listens at {about.node.url}")
    else:
        yield _port(LOOPBACK, settings.node_port, "node_port", "of the embedded OpenSearch")


def _port(host: str, port: int, setting: str, whose: str) -> Finding:
    if port == 0:
        return ok(f"port {whose}: any free one")
    try:
        open_listener(host, port, setting).close()
    except ConfigurationError as failed:
        process = _listening(port)
        if process is not None and _is_sidecar(process):
            return ok(f"port {port} {whose}: a sidecar listens there (process {process.pid})")
        who = "" if process is None else f" It is process {process.pid} ({process.name()})."
        found, _, advice = failed.message.partition(". ")
        return error(f"port {whose}: {found}.{who}", advice or "Set SIDECAR_HOST to an address of this machine.")
    return ok(f"port {port} {whose}: free")


def _listening(port: int) -> psutil.Process | None:
    """The process that listens on the port; None where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            is_there = connection.laddr and connection.laddr.port == port
            if is_there and connection.status == psutil.CONN_LISTEN and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        return None
    return None


def _is_sidecar(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return "serve" in words and any(word.rpartition("/")[2] == "sidecar" for word in words)
