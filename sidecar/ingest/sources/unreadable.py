"""What files, hosts and packed streams raise while they are read, as one of our errors, with what to do."""

from __future__ import annotations

import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from sidecar.errors import InvalidArgument

_LIBRARY_ERRORS = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("pyarrow", "ArrowException"),
    ("zstandard", "ZstdError"),
)
_EXTRAS = {"s3fs": "s3", "boto3": "s3"}
"""Library -> the extra that has it, where it is another than ``ingest``."""


@contextmanager
def readable(shown: str) -> Iterator[None]:
    """Raises: InvalidArgument, which names what is read as ``shown``, for all that keeps it from being read."""
    try:
        yield
    except FileNotFoundError as error:
        if (status := _http_status(error)) not in {None, 404}:
            raise InvalidArgument(_answered(shown, status)) from error
        if status is None and isinstance(error.__cause__, OSError):
            raise InvalidArgument(f"{shown} can't be reached: {_reason(error.__cause__)}.") from error
        raise InvalidArgument(f"There is no {shown}. Give a file, a folder or a pattern that leads to some.") from error
    except PermissionError as error:
        raise InvalidArgument(_refused(shown, error.strerror or str(error))) from error
    except ImportError as error:
        raise InvalidArgument(f"{shown} can't be read: {error}. Install the package that reads such places.") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InvalidArgument(f"{shown} can't be read on: {_reason(error)}.") from error
    except library_errors() as error:
        if (status := _http_status(error)) is not None:
            raise InvalidArgument(_answered(shown, status)) from error
        raise InvalidArgument(f"{shown} can't be read on: {_reason(error)}.") from error


def library(name: str, shown: str) -> ModuleType:
    """A library that only some sources need. Raises: InvalidArgument, naming what installs it."""
    try:
        return import_module(name)
    except ImportError as error:
        root = name.partition(".")[0]
        extra = _EXTRAS.get(root, "ingest")
        raise InvalidArgument(
            f"{shown} can't be read without {root}: pip install 'vector-sidecar[{extra}]'."
        ) from error


def library_errors() -> tuple[type[Exception], ...]:
    """The errors of those libraries that are loaded; others can't have raised."""
    return tuple(
        getattr(sys.modules[module], name) for module, name in _LIBRARY_ERRORS if hasattr(sys.modules.get(module), name)
    )


def _http_status(error: BaseException) -> int | None:
    """The status that an HTTP library's error tells, or that of its cause."""
    status: Any = getattr(error, "status", None)
    if isinstance(status, int):
        return status
    return _http_status(error.__cause__) if error.__cause__ is not None else None


def _answered(shown: str, status: int | None) -> str:
    reason = f"its host answers {status}"
    return _refused(shown, reason) if status in {401, 403} else f"{shown} can't be read: {reason}."


def _refused(shown: str, reason: str) -> str:
    return (
        f"{shown} may not be read: {reason}. Look at its rights; a bucket's keys come from the environment "
        "(AWS_ACCESS_KEY_ID …), or are storage options (key, secret, token; anon=true where it is public)."
    )


def _reason(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
