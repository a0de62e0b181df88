"""``sidecar doctor`` as it is typed; what each check finds is in tests/doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.doctor.registry import CHECKS

SECRET = "hunter2"
BROKEN = {
    "OPENSEARCH_URL": f"http://admin:{SECRET}@127.0.0.1:9",
    "OPENSEARCH_JAVA_HOME": "/no/such/java",
    "SIDECAR_API_KEYS": f'["{SECRET}"]',
    "SIDECAR_NATIVE_ACCOUNT": SECRET,
    "SIDECAR_ENDPOINTS": f'{{"http://embed.example": "{SECRET}"}}',
    "SIDECAR_EMBEDDING_URL": f"http://user:{SECRET}@127.0.0.1:9",
    "SIDECAR_PORT": "many",
    "SIDECAR_PROT": "1",
    "SIDECAR_HOST": "203.0.113.1",
    "SIDECAR_DEVICE": "cuda:93",
    "SIDECAR_PRELOAD_MODELS": '["random/smal", "hf/e5-base"]',
    "SIDECAR_TLS_CERTIFICATE": "/no/such/certificate",
}


def run(home: Path, *arguments: str, **variables: str) -> Result:
    environment = {"SIDECAR_HOME": str(home), **variables}
    return CliRunner(env=environment).invoke(main, ["doctor", *arguments], catch_exceptions=False)


def test_with_everything_broken_every_check_is_made_and_no_secret_told(tmp_path: Path) -> None:
    shown = run(tmp_path / "home", **BROKEN)
    read = run(tmp_path / "home", "--json", **BROKEN)
    for result in (shown, read):
        assert result.exit_code == 1
        assert SECRET not in result.output
        assert "Traceback" not in result.output
    told = json.loads(read.stdout)
    assert told["is_fine"] is False
    assert {finding["check"] for finding in told["findings"]} == set(CHECKS)
    wrong = {finding["check"] for finding in told["findings"] if finding["level"] == "error"}
    assert {"settings", "processors", "ports", "cluster", "models"} <= wrong
    assert all(finding["advice"] for finding in told["findings"] if finding["level"] != "ok")
    assert not any("could not be looked at" in finding["found"] for finding in told["findings"])


def test_nothing_is_made_or_changed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(home, OPENSEARCH_URL="http://127.0.0.1:9")
    assert not home.exists()


def test_a_cluster_that_is_well_ends_with_0(node: str, tmp_path: Path) -> None:
    result = run(tmp_path, "settings", "cluster", "clock", OPENSEARCH_URL=node)
    assert result.exit_code == 0, result.output
    assert "the cluster's clock agrees" in result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("settings    ok       2 settings are given: OPENSEARCH_URL, SIDECAR_HOME")
    assert lines[-1] == "Nothing is wrong." or "warning" in lines[-1]


def test_a_result_tells_how_many_are_wrong_and_what_to_do(tmp_path: Path) -> None:
    result = run(tmp_path, "processors", SIDECAR_DEVICE="cuda:93")
    assert "error    SIDECAR_DEVICE: device 'cuda:93' is not on this machine" in result.stdout
    assert "-> Set it to a device that is here, or take it away." in result.stdout
    assert result.stdout.splitlines()[-1] == "1 error in 3 findings."


def test_checks_can_be_chosen_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "clock", "settings", "--json").stdout)
    assert told["findings"][0]["check"] == "clock"
    assert {finding["check"] for finding in told["findings"]} == {"clock", "settings"}
    refused = run(tmp_path, "memroy")
    assert refused.exit_code == 2
    assert "'memory'" in refused.stderr


@pytest.mark.parametrize("variables", [{"SIDECAR_LOG_LEVEL": "loud"}, {"SIDECAR_HOME": "/proc/none"}])
def test_settings_of_the_command_itself_may_be_wrong(tmp_path: Path, variables: dict[str, Any]) -> None:
    result = run(tmp_path, "settings", "clock", **variables)
    assert result.exit_code == int("SIDECAR_LOG_LEVEL" in variables)
    assert "clock" in result.stdout
