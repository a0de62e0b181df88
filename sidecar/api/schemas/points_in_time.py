"""What is said of points in time."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sidecar.api.schemas.problems import check_shape
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import shortened

KEEP_ALIVE = "1m"
"""How long an unused point in time is kept where nothing is said."""
MAX_KEEP_ALIVE_SECONDS = 24 * 60 * 60
"""The longest that OpenSearch allows unless its operator says otherwise (point_in_time.max_keep_alive)."""

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 1e-3, "micros": 1e-6, "nanos": 1e-9}
_TIME = re.compile(rf"([0-9]{{1,18}})({'|'.join(_UNITS)})")


class ClosePointInTimeBody(BaseModel):
    """The point in time that is to be closed."""

    model_config = ConfigDict(extra="forbid")

    point_in_time: str = Field(alias="pointInTime")


def parse_keep_alive(text: str | None) -> str:
    """A time as OpenSearch writes it, as ``30s``, ``5m`` or ``2h``. Raises: InvalidArgument."""
    if text is None:
        return KEEP_ALIVE
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidArgument(
            f"keepAlive must be a whole number and a unit, one of {', '.join(_UNITS)}, as in 5m; given: "
            f"{shortened(text)}."
        )
    seconds = int(found[1]) * _UNITS[found[2]]
    if not 1e-3 <= seconds <= MAX_KEEP_ALIVE_SECONDS:
        raise InvalidArgument(f"keepAlive is {text}; it must be from 1ms to 24h.")
    return text


def parse_point_in_time(body: Any) -> str:
    """The id in the body. Raises: Unprocessable."""
    parsed: ClosePointInTimeBody = check_shape(ClosePointInTimeBody, body)
    return parsed.point_in_time
