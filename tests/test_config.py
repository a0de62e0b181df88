"""Where settings come from, and what stops the start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidecar.config import Settings, environment_name
from sidecar.doctor.sound_settings import sound_settings
from sidecar.errors import ConfigurationError
from sidecar.given_settings import load_settings


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


def test_blanks_around_a_url_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "http://example.org:9200\n")
    assert load_settings().opensearch_url == "http://example.org:9200"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "")
    monkeypatch.setenv("SIDECAR_PORT", "")
    assert load_settings().opensearch_url is None
    assert load_settings().port == 8882


def test_an_empty_option_counts_as_not_given_but_that_of_the_native_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_NODE_DATA", "/srv/data")
    settings = load_settings(opensearch_url="", node_data="", native_port="")
    assert settings.uses_embedded_node
    assert (settings.node_data, settings.native_port) == (Path("/srv/data"), None)


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


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SIDECAR_PORT", "http", "must be a whole number (given: 'http')"),
        ("SIDECAR_PORT", "70000", "must be at most 65535 (given: '70000')"),
        ("SIDECAR_THREADS", "0", "must be at least 1 (given: '0')"),
        ("SIDECAR_MEDIA_TIMEOUT", "0", "must be greater than 0 (given: '0')"),
        ("SIDECAR_GRACE", "inf", "must be a finite number (given: 'inf')"),
        ("SIDECAR_GRACE", "soon", "must be a number (given: 'soon')"),
        ("SIDECAR_TRACES", "maybe", "must be true or false (given: 'maybe')"),
        ("SIDECAR_NODE_HEAP", "big", "must look like 512m or 2g (given: 'big')"),
        ("SIDECAR_NODE_HEAP", "0g", "must look like 512m or 2g (given: '0g')"),
        ("SIDECAR_BACKEND", "gpu", "must be 'auto', 'torch', 'onnx' or 'openvino' (given: 'gpu')"),
        ("SIDECAR_NATIVE_ACCOUNT", "admin", "must look like user:password"),
        ("SIDECAR_EMBEDDING_URL", "gpu-machine:8882", "must look like http://host:8882"),
        ("SIDECAR_METRICS_INDEX", "A B", "must look like sidecar-metrics (given: 'A B')"),
        ("SIDECAR_API_KEYS", "secret", 'must be a JSON list, as ["a", "b"]'),
        ("SIDECAR_API_KEYS", '{"a": 1}', 'must be a JSON list, as ["a", "b"]'),
        ("SIDECAR_API_KEYS", '["a", 1]', "entry 2 must be a text"),
        ("SIDECAR_NATIVE_MODELS", '{"a": 1}', "entry 'a' must be a text (given: 1)"),
        ("SIDECAR_HOME", "~no-such-user/x", "begins with the home folder of a user whom this machine does not know"),
    ],
)
def test_a_bad_value_is_told_with_its_rule_in_the_sidecar_s_own_words(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.message.startswith(f"{variable}: {told}")
    assert sound_settings().problems == (caught.value.message,)


def test_models_to_preload_are_shown_by_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("[1]", '[{"modl": "x"}]', '[{"model": 1}]'):
        monkeypatch.setenv("SIDECAR_PRELOAD_MODELS", value)
        with pytest.raises(ConfigurationError, match=r'SIDECAR_PRELOAD_MODELS: must look like \["hf/e5-base-v2"\] or'):
            load_settings()


def test_a_user_without_a_home_folder_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(ConfigurationError, match=r"SIDECAR_HOME: your user has no home folder"):
        load_settings()
    assert load_settings(home="/srv/sidecar").home == Path("/srv/sidecar")
    # Where the libraries keep their files then.
    assert os.environ["HOME"] == "/srv/sidecar"
    # A doctor is for when things are broken.
    (problem,) = sound_settings().problems
    assert problem.startswith("SIDECAR_HOME: your user has no home folder")


def test_a_file_of_settings_that_can_not_be_read_is_named(empty_folder: Path) -> None:
    (empty_folder / ".env").write_bytes(b"SIDECAR_HOST=caf\xe9\n")
    with pytest.raises(ConfigurationError, match=rf"The file {empty_folder}/\.env can't be read: it is not UTF-8"):
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


@pytest.mark.parametrize("given", ['{"host:8080": "secret"}', '{"http://a": "", "secret": "http://host:8080"}'])
def test_an_endpoint_that_begins_as_no_url_stops_the_start_and_no_token_is_told(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_ENDPOINTS", given)
    with pytest.raises(ConfigurationError, match=r"SIDECAR_ENDPOINTS: .*entry [12] does not begin as a URL") as refused:
        load_settings()
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("keys", ['[""]', '["good", ""]', '[" "]', '["good "]', '["a\\nb"]', '["a\\u0000b"]'])
def test_a_key_that_nobody_could_send_or_anybody_would_stops_the_start(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_API_KEYS", keys)
    with pytest.raises(ConfigurationError, match=r"SIDECAR_API_KEYS: .*a key is empty") as refused:
        load_settings()
    assert "good" not in refused.value.message
