"""``sidecar serve`` as it is typed; what it serves is in tests/api, its life in tests/integration/test_serving.py."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import COMMANDS, main
from sidecar.cli.serve import open_listener
from sidecar.config import PreloadedModel, Settings, environment_name
from sidecar.errors import ConfigurationError
from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"


def refusal(*options: str, environment: dict[str, str] | None = None) -> str:
    """What ``sidecar serve`` says when it does not start, in one line."""
    result = CliRunner().invoke(main, ["serve", *options], env=environment or {})
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    return result.output.removeprefix("Error: ")


def test_every_setting_is_an_option_and_told_with_its_variable() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"], terminal_width=200).output
    for name in set(Settings.model_fields) - {"machine_java_home"}:
        assert f"--{name.replace('_', '-')} VALUE" in text
        assert environment_name(name) in text


def test_answers_are_not_held_back_to_clients_that_connect_before_it_serves() -> None:
    with open_listener("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_every_command_can_be_imported_and_is_in_the_help() -> None:
    text = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    for name, (_, line) in COMMANDS.items():
        assert name in text
        assert line in text
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_help_imports_no_command() -> None:
    script = "import sys; from sidecar.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "sidecar.cli" in modules
    assert not {"pydantic", "numpy", "flask", "gunicorn", "sidecar.config"} & set(modules)


def test_unknown_command_is_refused() -> None:
    assert "No such command 'sreve'" in CliRunner().invoke(main, ["sreve"]).output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "many"], "SIDECAR_PORT: "),
        (["--port", "70000"], "SIDECAR_PORT: "),
        (["--threads", "0"], "SIDECAR_THREADS: "),
        (["--api-keys", "secret"], "SIDECAR_API_KEYS: must be a JSON list"),
        (["--host", "203.0.113.1"], "SIDECAR_HOST: 203.0.113.1 is not an address of this machine."),
        (["--opensearch-url", "localhost:9200"], "OPENSEARCH_URL must look like http://host:9200 or"),
        (["--opensearch-ca-file", "/no/such.pem"], "SIDECAR_OPENSEARCH_CA_FILE: /no/such.pem can't be read: No such"),
        (["--opensearch-ca-file", __file__], f"SIDECAR_OPENSEARCH_CA_FILE: {__file__} can't be read: it has no cert"),
        (["--host", "no such host"], "SIDECAR_HOST: no address is known for 'no such host'"),
    ],
)
def test_bad_option_is_told_in_one_line_by_its_variable(options: list[str], told: str) -> None:
    assert refusal(*options).startswith(told)


def test_unknown_variable_is_told_with_the_nearest() -> None:
    told = refusal(environment={"SIDECAR_PROT": "1"})
    assert told == "SIDECAR_PROT is not a setting of the sidecar. Did you mean SIDECAR_PORT?\n"


def test_bad_value_in_the_env_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("SIDECAR_GRACE=-1\n")
    assert refusal().startswith("SIDECAR_GRACE: ")


def test_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refusal("--port", str(port))
    assert told.startswith(f"Port {port} of 127.0.0.1 is taken by another program.")
    assert "SIDECAR_PORT" in told


def test_model_that_nobody_knows_stops_the_start() -> None:
    command = [
        sys.executable,
        "-m",
        "sidecar",
        "serve",
        "--port",
        "0",
        "--native-port",
        "0",
        "--opensearch-url",
        NOBODY,
    ]
    done = subprocess.run(
        [*command, "--preload-models", '["random/smal"]'], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "Error: SIDECAR_PRELOAD_MODELS: there is no model named 'random/smal'" in done.stderr
    assert "random/small" in done.stderr
    assert "Traceback" not in done.stderr
    assert "gunicorn" not in done.stderr


@pytest.fixture
def preloading(node: str) -> Iterator[Sidecar]:
    """A server with two models to preload, one of them by its properties."""
    own = {"model": "my-own", "model_properties": {"name": "my-own", "type": "random", "dimensions": 7}}
    variables = {"MARQO_MODELS_TO_PRELOAD": json.dumps(["random/small", own]), "MARQO_XYZZY": "1"}
    with Sidecar({"OPENSEARCH_URL": node, **variables}) as running:
        yield running


def test_server_preloads_names_and_objects_and_says_where_they_come_from(preloading: Sidecar) -> None:
    preloading.wait_for_log("MARQO_MODELS_TO_PRELOAD sets SIDECAR_PRELOAD_MODELS")
    preloading.wait_for_log("MARQO_XYZZY has no effect")
    preloading.wait_for_log("loaded model name=my-own")
    names = {model["model_name"] for model in preloading.get("/models").json()["models"]}
    assert names == {"random/small", "my-own"}


def test_properties_that_describe_no_model_stop_the_start(make_client: MakeClient) -> None:
    bad = PreloadedModel(model="my-own", model_properties={"name": "x"})
    with pytest.raises(ConfigurationError, match=r"SIDECAR_PRELOAD_MODELS: .*dimensions"):
        make_client(opensearch_url=NOBODY, preload_models=[bad])
