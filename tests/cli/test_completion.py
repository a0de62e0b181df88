"""Completion as it is typed: in real shells at a terminal, and what the shells ask for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sidecar.cli.completion import INSTALLING
from sidecar.cli.shells import SHELLS
from sidecar.embedding.model_table import ModelTable
from tests.cli.terminal import Terminal, clean_environment
from tests.fix_opensearch import request

NOBODY = "http://127.0.0.1:9"
HEAVY = {"torch", "numpy", "flask", "gunicorn", "pyarrow", "sidecar.app", "rich.console"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment(tmp_path / "bin", SIDECAR_HOME=str(tmp_path / "home"), HOME=str(tmp_path), PS1="$ ")


def completed(environment: dict[str, str], *words: str, shell: str = "bash", **variables: str) -> list[str]:
    """The values that a shell is told for the last of the words."""
    asked = {"_SIDECAR_COMPLETE": f"{shell}_complete", "COMP_WORDS": "\n".join(("sidecar", *words))}
    done = subprocess.run(
        [sys.executable, "-m", "sidecar"],
        env=environment | asked | {"COMP_CWORD": str(len(words))} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    """A bash at a terminal, with the completion in it."""
    with Terminal(["bash", "--norc", "--noprofile", "-i"], environment, tmp_path) as terminal:
        terminal.type("bind 'set enable-bracketed-paste off'; eval \"$(sidecar completion bash)\"; echo done-''here\n")
        terminal.read_until("done-here")
        yield terminal


def test_bash_completes_commands_options_and_models(bash: Terminal, tmp_path: Path) -> None:
    (tmp_path / "documents.jsonl").write_text("")
    for typed, rest in (
        ("sidecar mod\t", "els "),
        ("sh\t", "ow "),
        ("hf/e5-base-un\t", "supervised"),
        ("\x15sidecar ingest docu\t", "ments.jsonl"),
        ("--tensor-fi\t", "elds "),
        ("\x15sidecar migrate books --precision fl\t", "oat"),
        ("\x15sidecar migrate books --model=hf/e5-base-un\t", "supervised"),
        ("\x15sidecar doctor mem\t", "ory "),
    ):
        bash.type(typed)
        bash.read_until(rest)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_where_they_are_installed(
    shell: str, environment: dict[str, str], tmp_path: Path
) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    load = {
        "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(sidecar completion zsh)"',
        "fish": "sidecar completion fish | source",
    }[shell]
    start = {"zsh": [program, "-f", "-i"], "fish": [program, "--no-config", "-i"]}[shell]
    with Terminal(start, environment, tmp_path) as terminal:
        terminal.type(f"{load}; echo done-''here\n")
        terminal.read_until("done-here")
        terminal.type("sidecar mod\t")
        terminal.read_until("els ")
        terminal.type("show hf/e5-base-un\t")
        terminal.read_until("supervised")


@pytest.mark.parametrize("shell", list(SHELLS))
def test_the_script_tells_how_to_install_it(shell: str, environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(["sidecar", "completion", shell], env=environment, capture_output=True, text=True, check=True)
    assert INSTALLING[shell] in done.stdout
    assert f"{shell}_complete" in done.stdout
    assert done.stderr == ""
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)
    if shell == "zsh":  # else zsh does not load it from a folder of functions
        assert done.stdout.startswith("#compdef sidecar\n")


def test_an_unknown_shell_is_refused(environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["sidecar", "completion", "csh"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is not one of 'bash', 'zsh', 'fish'" in done.stderr


def test_values_are_completed(environment: dict[str, str]) -> None:
    names = completed(environment, "models", "show", "")
    assert names == sorted(ModelTable().names())
    assert completed(environment, "serve", "--log-level", "w") == ["warning"]
    assert completed(environment, "serve", "--backend", "o") == ["onnx", "openvino"]
    assert completed(environment, "models", "list", "--loader", "open") == ["open_clip"]
    assert completed(environment, "export", "x", "--format", "p") == ["parquet"]
    assert completed(environment, "serve", "--tls-key", "/etc/ho") == ["/etc/ho"]
    assert completed(environment, "--v") == ["--version"]


def test_indexes_and_aliases_of_the_cluster_are_completed(
    environment: dict[str, str], node: str, index_name: str
) -> None:
    body = f'{{"aliases": {{"{index_name}-alias": {{}}}}}}'
    assert request(node, "PUT", f"/{index_name}", body)[0] == 200
    wanted = [index_name, f"{index_name}-alias"]
    for words in (["export"], ["verify"], ["migrate"], ["migrate", "finish"], ["ingest", "--index"]):
        assert completed(environment, *words, index_name, OPENSEARCH_URL=node) == wanted
    assert completed(environment, "migrate", "st", OPENSEARCH_URL=node) == ["status"]


@pytest.mark.parametrize(
    "variables",
    [
        {"OPENSEARCH_URL": NOBODY},
        {"OPENSEARCH_URL": "not a url"},
        {"OPENSEARCH_URL": "http://no-such-host.invalid:9200"},
        {"SIDECAR_PROT": "1"},
        {},
    ],
)
def test_nothing_is_said_where_there_is_no_cluster(environment: dict[str, str], variables: dict[str, str]) -> None:
    assert completed(environment, "export", "b", **variables) == []
    assert completed(environment, "models", "show", "random/sm", **variables) == ["random/small"]


@pytest.mark.parametrize("shell", list(SHELLS))
def test_what_can_not_be_completed_is_completed_to_nothing(environment: dict[str, str], shell: str) -> None:
    assert completed(environment, "ingest", "--index", shell=shell, COMP_CWORD="no number") == []


def imported(environment: dict[str, str], script: str, *arguments: str) -> set[str]:
    program = f"import sys\ntry:\n    {script}\nfinally:\n    print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    return set(done.stdout.splitlines()[-1].split())


COMMANDS: Sequence[str] = (
    *("ingest", "export", "verify", "migrate index", "migrate status", "migrate backfill", "models bench"),
    *("dashboards install", "opensearch start", "doctor", "demo", "completion"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_imports_nothing_of_its_work(environment: dict[str, str], command: str) -> None:
    found = imported(environment, "from sidecar.cli import main; main(prog_name='sidecar')", *command.split(), "--help")
    assert "sidecar.cli" in found
    assert not {*HEAVY, "sidecar.config", "pydantic"} & found


def test_completion_imports_nothing_of_the_commands_work(environment: dict[str, str]) -> None:
    """`python -m benchmarks --only starting` shows the time that this saves."""
    typed = {"_SIDECAR_COMPLETE": "bash_complete", "COMP_WORDS": "sidecar\nmodels\nshow\nhf", "COMP_CWORD": "3"}
    found = imported(environment | typed, "from sidecar.cli import main; main(prog_name='sidecar')")
    assert "sidecar.cli.completing" in found
    assert not {*HEAVY, "sidecar.config", "pydantic", "sidecar.embedding.model_table"} & found
