"""Reads the settings that were given, and says what is wrong with one.

Values come, the first that is there wins, from the command line, the environment, a ``.env`` file in the working
folder, the variables of Marqo that `marqo_variables` knows, and the defaults of `Settings`. Nothing else in the package
reads the environment.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import SettingsError

from sidecar.broken_rules import broken_rule
from sidecar.config import PREFIX, Settings, environment_name, is_secret, json_form
from sidecar.errors import ConfigurationError
from sidecar.marqo_variables import GivenVariable, given_variables, remarks

logger = logging.getLogger(__name__)

ENV_FILE = ".env"
_NO_PORT = "native_port"
"""The one setting that an empty text sets: to none."""


def load_settings(**options: Any) -> Settings:
    """Read the settings from the environment and ``.env``, under the given options.

    Options that are None count as not given, and so do empty ones, as empty variables do, but that of the native port.
    Raises: ConfigurationError, naming the variable, for an unknown ``SIDECAR_`` name or a bad value.
    """
    variables = read_variables()
    for problem in unknown_variables(variables):
        raise ConfigurationError(problem)
    aliases = _aliases(variables, options)
    chosen = {variable.setting: variable.value for variable in aliases}
    chosen |= {
        name: value for name, value in options.items() if value is not None and (value != "" or name == _NO_PORT)
    }
    if _NO_PORT not in chosen and variables.get(environment_name(_NO_PORT)) == "":
        chosen[_NO_PORT] = ""
    try:
        settings = Settings(_env_file=ENV_FILE, **by_model_names(chosen))
    except SettingsError as error:
        field = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
        raise ConfigurationError(f"{environment_name(field)}: must be {json_form(field)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = setting_of(first)
        variable = next((alias.name for alias in aliases if alias.setting == field), environment_name(field))
        raise ConfigurationError(f"{variable}: {problem_with(first)}") from error
    _have_home(settings.home)
    return settings


def by_model_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings' values by the names that `Settings` takes: one whose variable has a name of its own is known to it
    by that name."""
    names = {name: environment_name(name) for name in values}
    return {name if names[name].startswith(PREFIX) else names[name]: value for name, value in values.items()}


def tell_marqo_variables(**options: Any) -> None:
    """Log which variables of Marqo set which setting, and which have no effect; `options` as in `load_settings`."""
    variables = read_variables()
    for variable in _aliases(variables, options):
        logger.info("%s sets %s", variable.name, environment_name(variable.setting))
    for remark in remarks(variables):
        logger.warning(remark)


def read_variables() -> dict[str, str]:
    """The variables of the environment, over those of the file `ENV_FILE`."""
    try:
        file_values = {key: value for key, value in dotenv_values(ENV_FILE).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"The file {Path(ENV_FILE).absolute()} can't be read: {reason}. Mend it, or start elsewhere."
        ) from error
    return {**file_values, **os.environ}


def unknown_variables(variables: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that is named as settings are and is none, with the nearest name."""
    known = [environment_name(name) for name in Settings.model_fields]
    for variable in variables:
        if variable.startswith(PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1)
            yield f"{variable} is not a setting of the sidecar.{f' Did you mean {near[0]}?' if near else ''}"


def setting_of(details: Mapping[str, Any]) -> str:
    """The name of the setting whose value pydantic refuses."""
    place = str(details["loc"][0])
    return next((name for name in Settings.model_fields if environment_name(name) == place), place)


def problem_with(details: Mapping[str, Any]) -> str:
    """What is wrong with the value of a setting that pydantic refuses, and the value, unless that may be a secret."""
    field = setting_of(details)
    place = details["loc"][1:]
    examples = Settings.model_fields[field].examples
    if examples and (place or details["type"] == "string_pattern_mismatch"):
        rule = f"must look like {' or '.join(examples)}"
    elif details["type"] != "value_error" and not place and (form := json_form(field)) is not None:
        rule = f"must be {form}"
    else:
        rule = f"{_entry(place)}{broken_rule(details)}"
    return rule if is_secret(field) else f"{rule} (given: {details['input']!r})"


def _entry(place: Sequence[int | str]) -> str:
    """Which one of a list, counted from one, or of an object; nothing for a value that is neither."""
    if not place:
        return ""
    return f"entry {place[0] + 1 if isinstance(place[0], int) else repr(place[0])} "


def _aliases(variables: Mapping[str, str], options: Mapping[str, Any]) -> list[GivenVariable]:
    """The variables of Marqo that count: neither an option nor the setting's own variable is given."""
    try:
        given = given_variables(variables)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    return [
        variable
        for variable in given
        if options.get(variable.setting) is None and not variables.get(environment_name(variable.setting))
    ]


def _have_home(home: Path) -> None:
    """Let the libraries that keep files in the user's home folder, as the hub's does, keep them in the sidecar's where
    the user has none."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(home)
