"""Whether the process may open enough files, connections among them, and start enough threads."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.config import Settings
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.embedding.processors import available_processors

OPEN_CONNECTIONS = 1000
"""Clients' connections that the server keeps open at once, by gunicorn's default."""
OWN_FILES = 64
"""Open files of a server that does nothing: libraries, models, sockets."""
# OpenSearch's bootstrap checks (BootstrapChecks.java).
NODE_FILES = 65_535
NODE_THREADS = 4096


@dataclass(frozen=True)
class Limits:
    """What a process may have: open files, which it may raise to ``most_files`` itself, and threads of its user; None
    for any number."""

    files: int | None
    most_files: int | None
    threads: int | None


def check(about: Surroundings) -> Iterator[Finding]:
    """The limits of this process, which a server that is started in the same way has too."""
    yield from judge(_limits(), about.settings)


def judge(limits: Limits, settings: Settings) -> Iterator[Finding]:
    """Whether limits are enough for a server of these settings, and for the embedded node beside it."""
    busy = settings.threads + settings.opensearch_connections + settings.media_threads + OWN_FILES
    told = f"a process may open {_told(limits.files)} files (ulimit -n)"
    raised = "Raise it: ulimit -n 65536, LimitNOFILE= of systemd, or --ulimit of docker run."
    if limits.files is not None and limits.files < busy:
        yield error(f"{told}; a server at work needs {busy}.", raised)
    elif limits.files is not None and limits.files < OPEN_CONNECTIONS:
        yield warning(f"{told}; with {OPEN_CONNECTIONS} clients the server needs more.", raised)
    else:
        yield ok(told)
    if settings.uses_embedded_node and limits.most_files is not None and limits.most_files < NODE_FILES:
        yield warning(
            f"the embedded OpenSearch may open {limits.most_files} files at most, and wants {NODE_FILES}: with many "
            "indexes it fails.",
            "Raise the hard limit: ulimit -H -n 65536, or nofile in /etc/security/limits.conf.",
        )
    yield from _threads(limits, settings)


def _threads(limits: Limits, settings: Settings) -> Iterator[Finding]:
    own = settings.threads + settings.media_threads + (settings.embedding_threads or available_processors())
    wanted = NODE_THREADS if settings.uses_embedded_node else own + OWN_FILES
    told = f"a user may have {_told(limits.threads)} threads and processes (ulimit -u)"
    if limits.threads is None or limits.threads >= wanted:
        yield ok(told)
    else:
        yield warning(f"{told}; {wanted} are wanted.", f"Raise it: ulimit -u {wanted}, or nproc in limits.conf.")


def _limits() -> Limits:
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    threads, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return Limits(*(None if limit == resource.RLIM_INFINITY else limit for limit in (files, most_files, threads)))


def _told(limit: int | None) -> str:
    return "any number of" if limit is None else str(limit)
