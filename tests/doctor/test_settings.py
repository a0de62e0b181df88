"""Settings that are wrong, all of them at once, and what is told of them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.config import Settings, environment_name
from sidecar.doctor.finding import Level
from sidecar.doctor.settings import check
from sidecar.doctor.sound_settings import sound_settings
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import ConfigurationError
from sidecar.given_settings import load_settings
from tests.doctor.looking import levels

SECRET = "hunter2"
TEXTS = ("", "0", "-1", "3.5", "many", "true", '["a"]', '{"a": "b"}', '{"a": 1}', "[", "512m", "debug", "/tmp", "a:b")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with no `.env` and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(environment_name(name), raising=False)
    return tmp_path


def told() -> str:
    return "\n".join(finding.found for finding in check(Surroundings(sound_settings())))


def test_every_wrong_variable_is_told_and_the_others_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"SIDECAR_PORT": "many", "SIDECAR_THREADS": "0", "SIDECAR_PROT": "1", "SIDECAR_MEDIA_ROOTS": "/srv"}
    for name, value in (wrong | {"SIDECAR_GRACE": "5", "OPENSEARCH_URL": "http://example.org:9200"}).items():
        monkeypatch.setenv(name, value)
    read = sound_settings()
    assert len(read.problems) == 4
    for name in wrong:
        assert sum(problem.startswith(name) for problem in read.problems) == 1
    assert "Did you mean SIDECAR_PORT?" in told()
    found = read.settings
    assert (found.grace, found.port, found.threads) == (5.0, 8882, 16)
    assert found.opensearch_url == "http://example.org:9200"


def test_a_variable_of_marqo_that_can_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQO_MODELS_TO_PRELOAD", "[")
    assert "MARQO_MODELS_TO_PRELOAD: must be a JSON list" in told()


def test_a_variable_of_marqo_without_effect_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQO_ENABLE_THROTTLING", "TRUE")
    findings = list(check(Surroundings(sound_settings())))
    assert levels(findings) == [Level.WARNING, Level.OK]
    assert "SIDECAR_THREADS" in findings[0].found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(variables=st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), st.sampled_from(TEXTS), max_size=6))
def test_problems_are_found_where_the_server_would_not_start(variables: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, text in variables.items():
            patch.setenv(environment_name(name), text)
        read = sound_settings()
        try:
            wanted = load_settings()
        except ConfigurationError:
            assert read.problems
        else:
            assert not read.problems
            assert read.settings == wanted


def test_no_secret_is_told_whether_it_can_be_read_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "OPENSEARCH_URL": f"https://admin:{SECRET}@127.0.0.1:1",
        "SIDECAR_NATIVE_ACCOUNT": SECRET,
        "SIDECAR_API_KEYS": SECRET,
        "SIDECAR_ENDPOINTS": f'{{"http://a": ["{SECRET}"]}}',
        "SIDECAR_EMBEDDING_URL": f"http://u:{SECRET}@127.0.0.1:1",
    }
    for name, text in texts.items():
        monkeypatch.setenv(name, text)
    shown = told()
    assert "SIDECAR_NATIVE_ACCOUNT" in shown
    assert "SIDECAR_API_KEYS" in shown
    assert SECRET not in shown
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert SECRET not in caught.value.message
    assert SECRET not in repr(sound_settings().settings)


def certificate(folder: Path, **dates: datetime.datetime) -> Path:
    file = folder / "certificate.pem"
    trustme.CA().issue_cert("localhost", **dates).private_key_and_cert_chain_pem.write_to_path(str(file))
    return file


def test_a_certificate_is_looked_at_and_its_end_too(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_TLS_CERTIFICATE", str(certificate(empty_folder)))
    assert "is valid now" in told()
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    certificate(empty_folder, not_before=day, not_after=day + datetime.timedelta(days=1))
    assert "has expired; clients refuse it" in told()
    (empty_folder / "certificate.pem").unlink()
    assert "can't be read" in told()


def test_a_server_that_is_open_to_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        monkeypatch.setenv("SIDECAR_HOST", host)
        assert "SIDECAR_API_KEYS" not in told()
    monkeypatch.setenv("SIDECAR_HOST", "0.0.0.0")
    assert "no SIDECAR_API_KEYS are set" in told()
    assert "without SIDECAR_TLS_CERTIFICATE" in told()


def test_a_cluster_without_users_that_is_open_to_others_is_told_though_there_are_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIDECAR_HOST", "0.0.0.0")
    monkeypatch.setenv("SIDECAR_API_KEYS", '["key"]')
    assert "do anything with the cluster" in told()
    monkeypatch.setenv("OPENSEARCH_URL", "http://opensearch.example:9200")
    assert "do anything with the cluster" in told()
    monkeypatch.setenv("OPENSEARCH_URL", "https://user:hunter2@opensearch.example:9200")
    assert "do anything with the cluster" not in told()
    monkeypatch.setenv("OPENSEARCH_URL", "http://opensearch.example:9200")
    monkeypatch.setenv("SIDECAR_NATIVE_PORT", "")
    assert "do anything with the cluster" not in told()


def test_a_folder_of_files_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_MEDIA_ROOTS", '["/no/such/folder"]')
    assert "there is no folder /no/such/folder" in told()
