"""Virtual environments of contestants whose packages don't go with the sidecar's: made once, in the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "comparison"

_REQUIREMENTS = Path(__file__).parent / "requirements"


def python_of(environment: str | None) -> Path:
    """The Python of an environment, made now where it is not there or its requirements have changed; None is this one.

    Raises: RuntimeError with the installer's words where the packages can't be had together.
    """
    if environment is None:
        return Path(sys.executable)
    requirements = _REQUIREMENTS / f"{environment}.txt"
    folder = FOLDER / environment
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = requirements.read_text("utf-8")
    if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _install(folder, python, requirements)
        stamp.write_text(wanted, "utf-8")
    return python


def _install(folder: Path, python: Path, requirements: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv-uv" / "bin")
    if uv is not None:
        _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "--quiet", "--python", python, "--requirement", requirements)
    else:
        _run(sys.executable, "-m", "venv", folder)
        _run(python, "-m", "pip", "install", "--quiet", "--requirement", requirements)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-2000:]}")
