"""The settings by which commands work."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sidecar.config import Settings
from sidecar.given_settings import load_settings
from sidecar.logs import configure_logging


def command_settings(
    log_level: Literal["debug", "info", "warning", "error"] = "error", *, home: Path | None = None
) -> Settings:
    """The settings by which a command works, which are also those of its logs: quieter than a server's, unless the user
    says otherwise."""
    settings = load_settings(home=home)
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": log_level})
    configure_logging(settings.log_level, settings.log_format)
    return settings
