"""How what goes wrong in a command ends it: with one line on standard error, and an exit status."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sidecar.cli.exit_statuses import ExitStatus, status_of
from sidecar.cli.printable import printable
from sidecar.errors import SidecarError, reason_of

logger = logging.getLogger(__name__)


class CommandFailed(click.ClickException):
    """An error that ends a command, as one line."""

    def __init__(self, message: str, status: ExitStatus) -> None:
        super().__init__(printable(message))
        self.exit_code = int(status)  # type: ignore[misc]  # declared for the class


@contextmanager
def ended_plainly() -> Iterator[None]:
    """Turn whatever goes wrong in the block into one line and an exit status; all commands run in such a block.

    A fault in the sidecar itself is logged with its traceback, at the level debug.
    """
    try:
        yield
    except click.FileError as error:
        # click's own status for it is that of a command that came to its end.
        raise CommandFailed(error.format_message(), ExitStatus.REFUSED) from error
    except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except SidecarError as error:
        raise CommandFailed(error.message, status_of(error)) from error
    except click.Abort as abort:
        # click asks its questions with a Ctrl-C of its own.
        was_stopped = isinstance(abort.__context__, KeyboardInterrupt)
        raise (_stopped() if was_stopped else abort) from abort
    except KeyboardInterrupt as interrupt:
        raise _stopped() from interrupt
    except OSError as error:
        file = "" if error.filename is None else f"{error.filename}: "
        raise CommandFailed(f"{file}{reason_of(error)}", ExitStatus.FAILED) from error
    except Exception as error:
        logger.debug("a fault in the sidecar", exc_info=error)
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise CommandFailed(
            f"a fault in the sidecar itself: {type(error).__name__}: {reason_of(error)} ({place.filename}, line "
            f"{place.lineno}; SIDECAR_LOG_LEVEL=debug shows all of it)",
            ExitStatus.FAILED,
        ) from error


def _stopped() -> CommandFailed:
    return CommandFailed("stopped", ExitStatus.STOPPED)
