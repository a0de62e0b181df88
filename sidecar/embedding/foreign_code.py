"""Refuses models that want code of their own to be run: a model is weights and numbers, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

NO_CODE = {"trust_remote_code": False}
"""What the loaders of transformers take. Where they are not told, they ask at the terminal whether code may be run."""
_OWN = "sentence_transformers."
_MODULES = "modules.json"
_ROUTERS = ("router_config.json", "config.json")
"""Where a module that chooses among others names their classes."""


def check_modules(folder: Path) -> None:
    """Raises: ValueError where a model of sentence-transformers has a module that is not the library's own.

    Versions of the library before 6 import whatever a folder of this machine names.
    """
    for name in _classes(folder):
        if not name.startswith(_OWN):
            raise _refusal(f"its module {name[:100]!r} is code that is not part of sentence-transformers")


@contextmanager
def told_as_refused() -> Iterator[None]:
    """Have transformers, which are given `NO_CODE`, refuse a model's code in words that can be followed here."""
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" in str(error):
            raise _refusal("its architecture or its tokenizer is code in the model's own folder") from error
        raise


def _refusal(found: str) -> ValueError:
    return ValueError(f"{found}, and the code of models is not run. Take a model without it, or write a plug-in for it")


def _classes(folder: Path) -> Iterator[str]:
    for entry in _read(folder / _MODULES, list) or []:
        yield str(entry.get("type", "")) if isinstance(entry, dict) else ""
    for place in (path for name in _ROUTERS for path in folder.rglob(name)):
        types = (_read(place, dict) or {}).get("types")
        if isinstance(types, dict):
            yield from map(str, types.values())


def _read(path: Path, kind: type) -> Any:
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        # The library tells what is wrong with it, or that it is not needed.
        return None
    return value if isinstance(value, kind) else None
