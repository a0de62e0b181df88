"""How the user calls the command, to be told what to type next."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def called_by() -> str:
    """``sidecar`` where the shell finds that very program, else its path as it was called, or the module of Python."""
    called = Path(sys.argv[0])
    if called.name != "sidecar":
        return f"{shlex.quote(sys.executable)} -m sidecar"
    found = shutil.which("sidecar")
    is_found = found is not None and called.exists() and Path(found).samefile(called)
    return "sidecar" if is_found else shlex.quote(str(called))
