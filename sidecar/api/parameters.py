"""Parameters in a request's query string."""

from __future__ import annotations

from flask import request

from sidecar.api.schemas.problems import missing, not_a
from sidecar.api.services import services
from sidecar.embedding.devices import resolve_device
from sidecar.errors import InvalidArgument, Unprocessable

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}


def is_true(text: str) -> bool:
    """Whether a boolean parameter's text says yes; what is no boolean does not."""
    return _BOOLEANS.get(text.lower(), False)


def read_flag(name: str) -> bool:
    """A boolean parameter; false where it is not given. Raises: Unprocessable."""
    if not request.query_string or (text := request.args.get(name)) is None:
        return False
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise Unprocessable([not_a("bool", "query", name)])
    return value


def require_parameter(name: str) -> str:
    """A parameter that must be there. Raises: Unprocessable."""
    value = request.args.get(name)
    if value is None:
        raise Unprocessable([missing("query", name)])
    return value


def read_device() -> str:
    """The device that the request is to run on, ``cpu`` or ``cuda:N``: its ``device``, else the operator's choice.

    Raises: InvalidArgument for a word that is no device (``cuda1`` is one, ``cuda:1`` is not); HardwareUnavailable for
    one that is not on this machine.
    """
    given = request.args.get("device") if request.query_string else None
    if given is None:
        return resolve_device(services().settings.device or None)
    if ":" in given:
        raise InvalidArgument(f"device {given!r} is none; leave the colon out, as in cuda1.")
    return resolve_device(given)


def read_routing() -> str | None:
    """What decides on the shard of the request's documents in place of their ids: ``routing``, None where it is not
    given. Raises: InvalidArgument for an empty one."""
    given = request.args.get("routing") if request.query_string else None
    if given == "":
        raise InvalidArgument(
            "the parameter 'routing' is empty. Give the value that the documents have, or leave it out."
        )
    return given
