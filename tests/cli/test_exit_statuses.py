"""How commands end: the status, and one line on standard error."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sidecar.cli import COMMANDS, main
from sidecar.cli.ending import CommandFailed, ended_plainly
from sidecar.cli.exit_statuses import MEANINGS, ExitStatus, status_of
from sidecar.errors import (
    ConfigurationError,
    EmbeddedNodeError,
    EndpointUnavailable,
    IndexNotFound,
    ModelLoadError,
    OpenSearchError,
    OpenSearchRejected,
    OpenSearchUnreachable,
    SidecarError,
    TooManyRequests,
    UnknownModel,
)
from tests.cli.terminal import clean_environment

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("x"), 2),
        (IndexNotFound("x"), 2),
        (UnknownModel("x"), 2),
        (ModelLoadError("x"), 3),
        (EndpointUnavailable("x"), 3),
        (TooManyRequests("x"), 3),
        (OpenSearchUnreachable("x"), 3),
        (OpenSearchError("x", upstream_status=503), 3),
        (OpenSearchRejected("x", upstream_status=429), 3),
        (OpenSearchError("x", upstream_status=400), 2),
        (OpenSearchError("x", upstream_status=401), 2),
        (EmbeddedNodeError("x"), 3),
        (SidecarError("x"), 3),
    ],
)
def test_what_the_user_must_mend_is_2_and_what_may_pass_is_3(error: SidecarError, status: int) -> None:
    assert status_of(error) == status
    with pytest.raises(CommandFailed) as caught, ended_plainly():
        raise error
    assert (caught.value.exit_code, caught.value.message) == (status, "x")


def test_every_status_has_its_meaning() -> None:
    assert list(MEANINGS) == list(ExitStatus)


def test_a_fault_of_our_own_is_one_line_that_names_its_place() -> None:
    with pytest.raises(CommandFailed) as caught, ended_plainly():
        raise KeyError("two\nlines")
    assert caught.value.exit_code == 3
    assert "a fault in the sidecar itself: KeyError: " in caught.value.message
    assert f"{__file__}, line " in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_can_not_be_had_is_a_fault() -> None:
    with pytest.raises(CommandFailed, match="No such file") as caught, ended_plainly():
        Path("/no/such/file").read_text()
    assert caught.value.exit_code == 3


def test_no_as_an_answer_is_not_a_stop_and_ctrl_c_at_a_question_is() -> None:
    with pytest.raises(click.Abort), ended_plainly():
        raise click.Abort
    with pytest.raises(CommandFailed) as caught, ended_plainly():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise click.Abort from None
    assert caught.value.exit_code == 130


def test_ctrl_c_ends_a_command_with_130_and_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = clean_environment(tmp_path / "bin", OPENSEARCH_URL=url, SIDECAR_HOME=str(tmp_path))
        command = [sys.executable, "-m", "sidecar", "doctor", "settings", "cluster"]
        with (
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # What was itself started in the background ignores it, and so would the command.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            ) as process,
            silent.accept()[0] as asked,
        ):
            assert asked.recv(1), "it waits for an answer now"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()) == (130, ["Error: stopped"])


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner(env={"OPENSEARCH_URL": NOBODY, **variables}).invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["migrate", "status"], 3),
        (["migrate", "books", "--model", "random/small"], 3),
        (["verify", "books"], 3),
        (["export", "books", "--to", "-"], 3),
        (["export", "books", "--to", "x.docx"], 2),
        (["models", "show", "no-such-model"], 2),
        (["dashboards", "install", "--url", NOBODY], 3),
        (["opensearch", "start", "--node-heap", "much"], 2),
        (["dashboards", "export", "/no/such/folder/saved.ndjson"], 2),
        (["migrate", "books", "--model", "random/small", "--sample-queries", "/no/such/file"], 2),
        (["doctor", "cluster"], 1),
    ],
)
def test_commands_end_alike_and_in_one_line(arguments: list[str], status: int, tmp_path: Path) -> None:
    for more in ([], ["--json"]):
        result = run(*arguments, *more, SIDECAR_HOME=str(tmp_path))
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        if status != 1:
            assert result.stdout == ""
            assert result.stderr.startswith("Error: ")
            assert result.stderr.count("\n") == 1


def test_a_setting_that_is_wrong_is_2_in_every_command(tmp_path: Path) -> None:
    for arguments in (["serve"], ["migrate", "status"], ["models", "list"], ["opensearch", "status"], ["demo"]):
        result = run(*arguments, SIDECAR_HOME=str(tmp_path), SIDECAR_PROT="1")
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert result.stderr == "Error: SIDECAR_PROT is not a setting of the sidecar. Did you mean SIDECAR_PORT?\n"


@pytest.mark.parametrize(
    ("typed", "meant"), [("sreve", "serve"), ("ingets", "ingest"), ("docter", "doctor"), ("models lst", "list")]
)
def test_an_unknown_command_is_told_with_the_nearest(typed: str, meant: str) -> None:
    result = run(*typed.split())
    assert result.exit_code == 2
    assert f"Did you mean '{meant}'?" in result.stderr


def test_a_command_of_migrate_that_is_misspelt_is_taken_for_an_index_and_told(node: str) -> None:
    result = run("migrate", "stauts", "--model", "random/small", OPENSEARCH_URL=node)
    assert result.exit_code == 2
    assert "There is no index 'stauts'" in result.stderr
    assert "Did you mean the command 'status'?" in result.stderr


def test_a_reader_that_has_gone_is_no_error_to_see(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path / "bin", SIDECAR_HOME=str(tmp_path))
    pipe = "sidecar models list --json | head -n 1; echo ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", pipe], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "["


def test_every_command_that_tells_something_can_tell_it_as_json() -> None:
    without = {"serve", "completion"}
    """One runs until it is stopped, and logs as SIDECAR_LOG_FORMAT says; the other prints a script."""

    def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from leaves(found, f"{path} {name}".strip())
        else:
            yield path, command

    found = dict(leaves(main, ""))
    assert {path.partition(" ")[0] for path in found} == set(COMMANDS)
    missing = {path for path, command in found.items() if not any("--json" in one.opts for one in command.params)}
    assert missing == without


def test_what_is_told_as_json_is_one_value(tmp_path: Path) -> None:
    for arguments, status in (
        (["models", "list", "--loader", "clip"], 0),
        (["models", "show", "hf/e5-base"], 0),
        (["models", "pull", "all-MiniLM-L6-v2"], 0),
        (["opensearch", "status"], 3),
        (["opensearch", "stop"], 0),
        (["dashboards", "export", str(tmp_path / "saved.ndjson")], 0),
        (["doctor", "settings", "clock"], 0),
    ):
        result = run(*arguments, "--json", SIDECAR_HOME=str(tmp_path))
        assert result.exit_code == status, result.output
        assert json.loads(result.stdout) is not None
        assert result.stderr == ""


def test_json_tells_models_by_the_names_of_the_documentation(tmp_path: Path) -> None:
    model = json.loads(run("models", "show", "hf/e5-base", "--json", SIDECAR_HOME=str(tmp_path)).stdout)
    assert (model["name"], model["loader"], model["dimensions"]) == ("hf/e5-base", "hf", 768)
    assert model["text_query_prefix"] == "query: "
    assert model["converted"] == []
    assert json.loads(run("opensearch", "status", "--json", SIDECAR_HOME=str(tmp_path)).stdout) == {"running": False}


def test_migrations_and_their_ends_are_told_as_json(node: str, tmp_path: Path) -> None:
    result = run("migrate", "status", "--json", OPENSEARCH_URL=node, SIDECAR_HOME=str(tmp_path))
    assert isinstance(json.loads(result.stdout), list)
    result = run("migrate", "finish", "no-such", "--yes", "--json", OPENSEARCH_URL=node, SIDECAR_HOME=str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
