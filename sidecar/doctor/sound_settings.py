"""The settings as far as they can be used: one that is wrong is told, and counts as not given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from sidecar.config import Settings, default_home, environment_name, json_form
from sidecar.errors import ConfigurationError
from sidecar.given_settings import (
    by_model_names,
    load_settings,
    problem_with,
    read_variables,
    setting_of,
    unknown_variables,
)

NOWHERE = Path("/nonexistent/vector-sidecar")
"""The home folder of the sidecar of a user who has no home folder."""


@dataclass(frozen=True)
class SoundSettings:
    """``problems`` say what is wrong with variables, all of them; ``settings`` are without those. ``given`` are the
    variables that are set and right."""

    settings: Settings
    problems: tuple[str, ...]
    given: tuple[str, ...]


class _Explicit(Settings):
    """Settings of values that are given, whatever the environment says."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def sound_settings(*, home: Path | None = None) -> SoundSettings:
    """Read the settings; never fails for what they are. ``home`` has precedence over the variable."""
    variables = read_variables()
    options = {} if home is None else {"home": home}
    try:
        settings = load_settings(**options)
    except ConfigurationError as error:
        values, problems = _readable(variables)
        homeless = "home" not in values | options and not _has_home()
        settings, refused = _validated(values | options | ({"home": NOWHERE} if homeless else {}))
        problems = (*unknown_variables(variables), *problems, *refused)
        # What is wrong elsewhere, as with a variable of Marqo.
        return SoundSettings(settings, problems or (error.message,), _given(settings))
    return SoundSettings(settings, (), _given(settings))


def _has_home() -> bool:
    try:
        default_home()
    except ConfigurationError:
        return False
    return True


def _given(settings: Settings) -> tuple[str, ...]:
    return tuple(environment_name(name) for name in Settings.model_fields if name in settings.model_fields_set)


def _readable(variables: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values by the names of the settings, and what is wrong with those that are no JSON."""
    values: dict[str, Any] = {}
    problems = []
    for name in Settings.model_fields:
        text = variables.get(environment_name(name), "")
        form = json_form(name)
        # Empty counts as not given, but for the one setting that it switches off.
        if not text and not (name == "native_port" and environment_name(name) in variables):
            continue
        try:
            values[name] = text if form is None else json.loads(text)
        except ValueError:
            problems.append(f"{environment_name(name)}: must be {form}")
    return values, tuple(problems)


def _validated(values: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """The settings of the values that are right, and what is wrong with the others."""
    try:
        return _Explicit(**by_model_names(values)), ()
    except ValidationError as error:
        wrong = {setting_of(one): one for one in error.errors()}
    settings, _ = _validated({name: value for name, value in values.items() if name not in wrong})
    told = (f"{environment_name(name)}: {problem_with(one)}" for name, one in wrong.items())
    return settings, tuple(told)
