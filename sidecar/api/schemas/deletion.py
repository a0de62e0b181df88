"""The body that deletes documents by a query."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from sidecar.api.schemas.problems import check_shape, told_as
from sidecar.errors import InvalidArgument
from sidecar.searching.request import Filter


class DeletionBody(BaseModel):
    """Which documents are to be deleted."""

    model_config = ConfigDict(extra="forbid")

    filter: Annotated[str | dict[str, Any] | None, told_as("string")] = None


def parse_deletion(body: Any) -> Filter:
    """Which documents to delete.

    Raises: Unprocessable; InvalidArgument where no filter is given, so that nobody deletes all by leaving it out.
    """
    parsed: DeletionBody = check_shape(DeletionBody, body)
    if not parsed.filter or (isinstance(parsed.filter, str) and not parsed.filter.strip()):
        raise InvalidArgument("'filter' must say which documents to delete; \"*:*\" deletes all.")
    return parsed.filter
