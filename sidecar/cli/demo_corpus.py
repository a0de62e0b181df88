"""The demo's documents: the docstrings of Python's own standard library, read from its source files."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

_LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "site-packages",
    "turtledemo",
    "__pycache__",
    "ensurepip",
    "_vendor",
}
_SHORTEST_BODY = 60
_LONGEST_BODY = 6_000

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def read_documents(limit: int | None = None) -> list[dict[str, Any]]:
    """Documents with ``_id``, ``title`` (the dotted name), ``body`` (its docstring), ``module`` and ``kind``.

    Nothing is imported: the source files are parsed. The same Python gives the same documents in the same order. With a
    limit, every n-th of them, so that all of the library is in the sample.
    """
    root = Path(sysconfig.get_path("stdlib"))
    documents = [document for path in sorted(root.rglob("*.py")) for document in _documents_of(root, path)]
    unique = list({document["_id"]: document for document in documents}.values())
    if limit is None or limit >= len(unique):
        return unique
    return [unique[number * len(unique) // limit] for number in range(limit)]


def _documents_of(root: Path, path: Path) -> Iterator[dict[str, Any]]:
    parts = path.relative_to(root).with_suffix("").parts
    if any(part in _LEFT_OUT or part.startswith("config-") for part in parts):
        return
    module = ".".join(part for part in parts if part != "__init__")
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:
        return
    yield from _walk(tree, module, module)


def _walk(node: _Documented, name: str, module: str) -> Iterator[dict[str, Any]]:
    body = ast.get_docstring(node, clean=False)
    if body and len(text := cleandoc(body)) >= _SHORTEST_BODY:
        yield {
            "_id": name,
            "title": name,
            "body": text[:_LONGEST_BODY],
            "module": module.partition(".")[0],
            "kind": _kind(node),
        }
    for child in node.body:
        if isinstance(child, _Documented) and not child.name.startswith("_"):
            yield from _walk(child, f"{name}.{child.name}", module)


def _kind(node: _Documented) -> str:
    if isinstance(node, ast.Module):
        return "module"
    return "class" if isinstance(node, ast.ClassDef) else "function"
