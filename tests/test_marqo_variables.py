"""The environment variables of Marqo 1.x, as other names of settings."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import Settings, environment_name
from sidecar.errors import ConfigurationError
from sidecar.given_settings import load_settings, tell_marqo_variables
from sidecar.marqo_variables import ALIASES, MARQO_PREFIX, WITHOUT_EQUIVALENT

OTHERS = {
    "MARQO_MODELS_TO_PRELOAD": ('["random/small"]', ("random/small",)),
    "MARQO_LOG_LEVEL": ("WARNING", "warning"),
    "MARQO_MAX_CPU_MODEL_MEMORY": ("2.5", 2.5),
}
"""Variables whose values are no whole numbers: text, and the setting's value."""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with no `.env` and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [*map(environment_name, Settings.model_fields), *(n for n in os.environ if n.startswith(MARQO_PREFIX))]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("variable", ALIASES)
def test_variable_sets_its_setting(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = OTHERS.get(variable, ("17", 17))
    monkeypatch.setenv(variable, text)
    setting = ALIASES[variable].setting
    assert getattr(load_settings(), setting) == value
    assert load_settings() == load_settings(**{setting: value})


@pytest.mark.parametrize("variable", ALIASES)
def test_empty_variable_sets_nothing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    assert load_settings() == Settings()


def test_the_sidecar_s_own_variable_and_options_win(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQO_MAX_DOC_BYTES", "11")
    monkeypatch.setenv("MARQO_MAX_ADD_DOCS_COUNT", "12")
    monkeypatch.setenv("MARQO_MAX_DELETE_DOCS_COUNT", "13")
    monkeypatch.setenv("SIDECAR_MAX_DOCUMENT_BYTES", "21")
    (empty_folder / ".env").write_text("SIDECAR_MAX_ADD_DOCUMENTS=22\nMARQO_MAX_DELETE_DOCS_COUNT=33\n")
    settings = load_settings()
    assert settings.max_document_bytes == 21
    assert settings.max_add_documents == 22
    assert settings.max_delete_documents == 13
    assert load_settings(max_delete_documents=23).max_delete_documents == 23


def test_the_sidecar_s_empty_variable_leaves_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQO_MAX_DOC_BYTES", "11")
    monkeypatch.setenv("SIDECAR_MAX_DOCUMENT_BYTES", "")
    assert load_settings().max_document_bytes == 11


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MARQO_MAX_DOC_BYTES", "many"),
        ("MARQO_MAX_RETRIEVABLE_DOCS", "20000"),
        ("MARQO_LOG_LEVEL", "loud"),
        ("MARQO_MODELS_TO_PRELOAD", "a, b"),
        ("MARQO_MODELS_TO_PRELOAD", '{"model": "a"}'),
        ("MARQO_MODELS_TO_PRELOAD", '[{"name": "a"}]'),
    ],
)
def test_bad_value_stops_the_start_and_names_the_variable(
    variable: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigurationError, match=f"^{variable}: "):
        load_settings()


def told(logged: io.StringIO, **options: Any) -> list[str]:
    tell_marqo_variables(**options)
    return [line.split(" ", 3)[1] + " " + line.split(" ", 3)[3] for line in logged.getvalue().splitlines()]


def test_start_tells_which_variable_set_which_setting(logged: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MARQO_MAX_DOC_BYTES", "MARQO_MAX_ADD_DOCS_COUNT", "MARQO_MAX_DELETE_DOCS_COUNT"):
        monkeypatch.setenv(variable, "5")
    monkeypatch.setenv("SIDECAR_MAX_ADD_DOCUMENTS", "6")
    assert told(logged, max_delete_documents=7) == ["INFO MARQO_MAX_DOC_BYTES sets SIDECAR_MAX_DOCUMENT_BYTES"]


@pytest.mark.parametrize("variable", WITHOUT_EQUIVALENT)
def test_variable_without_an_equivalent_is_told(
    variable: str, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "TRUE")
    assert told(logged) == [f"WARNING {variable} has no effect: {WITHOUT_EQUIVALENT[variable]}."]
    assert load_settings() == Settings()


def test_unknown_variable_is_a_warning(logged: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQO_XYZZY", "1")
    assert told(logged) == ["WARNING MARQO_XYZZY has no effect: it is not known."]
    assert load_settings() == Settings()


def test_no_variable_no_word(logged: io.StringIO) -> None:
    assert told(logged) == []


def test_every_alias_is_of_a_setting() -> None:
    assert {alias.setting for alias in ALIASES.values()} <= set(Settings.model_fields)
    assert not ALIASES.keys() & WITHOUT_EQUIVALENT.keys()
