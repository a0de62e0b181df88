"""Parameters in a request's query string."""

from __future__ import annotations

import re

from flask import request

from sidecar.api.schemas.problems import missing, not_a
from sidecar.errors import HardwareUnavailable, InvalidArgument, Unprocessable

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}
_ACCELERATOR = re.compile(r"cuda\d*")


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


def check_device() -> None:
    """Raises: InvalidArgument for a `device` that is none, HardwareUnavailable for one that is not here."""
    if not request.query_string or (device := request.args.get("device")) is None:
        return
    name = device.lower()
    if _ACCELERATOR.fullmatch(name):
        raise HardwareUnavailable(f"device {device!r} is not on this machine. Leave `device` out, or give cpu.")
    if name != "cpu":
        raise InvalidArgument(f"device {device!r} is none; give cpu, cuda, or cuda and a number as cuda1.")


def check_unsupported_flags(*names: str) -> None:
    """Raises: InvalidArgument where one of these flags of the API, which this version has not yet, is on."""
    for name in names:
        if read_flag(name):
            raise InvalidArgument(f"the parameter {name!r} is not supported by this version. Leave it out.")
