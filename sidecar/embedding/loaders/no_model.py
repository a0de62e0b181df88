"""No model: the index takes vectors that its users bring."""

from __future__ import annotations

from typing import NoReturn

from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.load import LoadContext
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import BadRequest


def load(spec: ModelSpec, context: LoadContext) -> NoReturn:
    """Raises: BadRequest, always."""
    raise BadRequest(f"the index has no model (model {NO_MODEL!r}), so that text can't be vectorised")
