"""Where settings come from, and what stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.config import Settings, environment_name, load_settings
from sidecar.errors import ConfigurationError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with no `.env` and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(environment_name(name), raising=False)
    return tmp_path


def test_settings_have_their_defaults_when_nothing_is_given() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.uses_embedded_node) == ("127.0.0.1", 8882, True)


def test_options_win_over_the_environment_which_wins_over_the_file(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / ".env").write_text("SIDECAR_PORT=1001\nSIDECAR_THREADS=11\nSIDECAR_HOST=127.0.0.11\nOTHER=1\n")
    monkeypatch.setenv("SIDECAR_THREADS", "12")
    monkeypatch.setenv("SIDECAR_HOST", "127.0.0.12")
    settings = load_settings(host="127.0.0.13")
    assert (settings.port, settings.threads, settings.host) == (1001, 12, "127.0.0.13")


def test_the_cluster_s_url_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "http://example.org:9200")
    assert load_settings().opensearch_url == "http://example.org:9200"
    assert not load_settings().uses_embedded_node


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "")
    monkeypatch.setenv("SIDECAR_PORT", "")
    assert load_settings().opensearch_url is None
    assert load_settings().port == 8882


def test_an_unknown_variable_stops_the_start_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_PROT", "1")
    with pytest.raises(ConfigurationError, match=r"SIDECAR_PROT is not a setting.*Did you mean SIDECAR_PORT\?"):
        load_settings()


def test_an_unknown_name_in_the_file_stops_the_start(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("SIDECAR_XYZZY=1\n")
    with pytest.raises(ConfigurationError, match="SIDECAR_XYZZY"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SIDECAR_PORT", "http"),
        ("SIDECAR_PORT", "70000"),
        ("SIDECAR_NODE_HEAP", "big"),
        ("SIDECAR_BACKEND", "gpu"),
        ("SIDECAR_API_KEYS", '{"a": 1}'),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        load_settings()


def test_a_list_that_is_not_json_stops_the_start_and_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_API_KEYS", "a,b")
    with pytest.raises(ConfigurationError, match="SIDECAR_API_KEYS"):
        load_settings()


def test_a_bad_option_names_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="SIDECAR_PORT"):
        load_settings(port="http")


def test_folders_are_absolute_and_may_start_with_a_tilde() -> None:
    assert load_settings(home="~/sidecar-home").home == Path.home() / "sidecar-home"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("keys", ['[""]', '["good", ""]', '[" "]', '["good "]', '["a\\nb"]', '["a\\u0000b"]'])
def test_a_key_that_nobody_could_send_or_anybody_would_stops_the_start(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_API_KEYS", keys)
    with pytest.raises(ConfigurationError, match=r"SIDECAR_API_KEYS: .*a key is empty") as refused:
        load_settings()
    assert "good" not in refused.value.message
