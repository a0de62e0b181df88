"""What is said of a map of embeddings."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.errors import InvalidArgument
from sidecar.indexing.names import shortened
from sidecar.searching.embedding_map import MapRequest
from sidecar.whole_numbers import whole_number

POINTS = 1000
"""The size of a map where nothing is said."""
MAX_POINTS = 5000
MAX_SEED = 2**31 - 1


def parse_map(parameters: Mapping[str, str]) -> MapRequest:
    """The parameters of the query string. Raises: InvalidArgument, naming the parameter and its limits."""
    return MapRequest(
        field=parameters.get("field"),
        size=_whole_number("size", parameters, least=1, most=MAX_POINTS, default=POINTS),
        seed=_whole_number("seed", parameters, least=0, most=MAX_SEED, default=0),
        attribute=parameters.get("attribute") or None,
    )


def _whole_number(name: str, parameters: Mapping[str, str], *, least: int, most: int, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    number = whole_number(text, most_digits=len(str(most)))
    if number is None or not least <= number <= most:
        raise InvalidArgument(f"{name} is {shortened(text)}; it must be a whole number from {least} to {most}.")
    return number
