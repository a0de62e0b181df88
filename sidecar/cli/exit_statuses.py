"""The exit statuses of all commands, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from sidecar.errors import (
    ConfigurationError,
    EndpointUnavailable,
    InvalidRequest,
    ModelLoadError,
    OpenSearchError,
    SidecarError,
    TooManyRequests,
)


class ExitStatus(IntEnum):
    """How a command ended."""

    DONE = 0
    PROBLEMS = 1
    REFUSED = 2
    FAILED = 3
    STOPPED = 130


MEANINGS: Mapping[ExitStatus, str] = {
    ExitStatus.DONE: "All was done; what was looked at is in order.",
    ExitStatus.PROBLEMS: "It came to its end, but not all is well: documents failed, a check found something wrong, a "
    "question was answered with no, or whoever read its output has gone.",
    ExitStatus.REFUSED: "It can't be done as it was asked for: an option, a setting, a name, a file or the state of an "
    "index is wrong. It will be so again, until something is changed.",
    ExitStatus.FAILED: "What it needs is away or failed: the cluster, the network, a model's files, a disk, Java. The "
    "same command may do later, and goes on where it was where it is one that goes on.",
    ExitStatus.STOPPED: "Ctrl-C, or SIGTERM where the command handles it, stopped it. Long jobs have saved what was "
    "done: the same command goes on.",
}
"""What each tells, for the documentation."""

_MAY_PASS = (ModelLoadError, EndpointUnavailable, TooManyRequests)
"""Errors of the kind that a client must mend, which are the fault of something else as often as not."""
_LATER = (408, 429)
"""Statuses by which a server refuses for now."""


def status_of(error: SidecarError) -> ExitStatus:
    """The exit status of a command that an error of ours ends."""
    if isinstance(error, OpenSearchError):
        # The cluster refuses what it was sent, or whom it was sent by, and will do so again.
        is_users = 400 <= error.upstream_status < 500 and error.upstream_status not in _LATER
    else:
        is_users = isinstance(error, (InvalidRequest, ConfigurationError)) and not isinstance(error, _MAY_PASS)
    return ExitStatus.REFUSED if is_users else ExitStatus.FAILED
