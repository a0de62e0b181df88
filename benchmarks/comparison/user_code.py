"""How many lines of code a user writes: counted in the contestants' own files."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

from benchmarks.comparison.entries import Entry

_CONTESTANTS = Path(__file__).parent / "contestants"
_NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER),
}


def lines_of(entry: Entry) -> int:
    """Lines of code of the entry's own file and of those that it shares with others."""
    paths = [_CONTESTANTS / f"{name}.py" for name in (entry.script, *entry.shared)]
    return sum(count_lines(path.read_text("utf-8")) for path in paths)


def count_lines(source: str) -> int:
    """Lines that have code on them: none that is blank, a comment, or part of a docstring."""
    docstrings = {line for node in ast.walk(ast.parse(source)) for line in _docstring_lines(node)}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def _docstring_lines(node: ast.AST) -> range:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return range(0)
    if ast.get_docstring(node) is None:
        return range(0)
    first = node.body[0]
    return range(first.lineno, (first.end_lineno or first.lineno) + 1)
