"""Routes that show and eject the models in memory."""

from __future__ import annotations

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.parameters import require_parameter
from sidecar.api.services import services
from sidecar.embedding.devices import spelled

models = Blueprint("models", __name__, url_prefix="/models")


@models.get("")
def list_models() -> Response:
    """The models in memory, and where."""
    loaded = services().engine.models.loaded()
    return json_answer({"models": [{"model_name": name, "model_device": device} for name, device in loaded]})


@models.delete("")
def eject_model() -> Response:
    """Take a model out of memory; its next use loads it again."""
    name, device = require_parameter("model_name"), require_parameter("model_device")
    services().engine.models.eject(name, spelled(device))
    message = f"successfully eject model_name `{name}` from device `{device}`"
    return json_answer({"result": "success", "message": message})
