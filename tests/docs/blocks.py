"""The code blocks of the documents, and what each is for.

A block is a fenced piece of a page. Its language, its title and the line above it say what becomes of it:

- ``sh``, ``python`` and ``http`` are run, in the order of the page;
- ``json`` and ``text`` straight below one of these are what it answers or prints;
- any language with a ``title="job.yaml"`` is a file of that name;
- ``<!-- body: POST /indexes/books/search -->`` on the line above a ``json`` sends it there, to be taken;
- ``<!-- not run: the reason -->`` on the line above leaves a block out;
- ``<!-- run`` ... ``-->`` is a block of shell commands that readers do not see;
- a fence without a language is a drawing.

``<!-- stand-in: this -> that -->`` anywhere in a page replaces a text in all its blocks before they are run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"(?:^ *<!-- (?:not run: (?P<reason>\S.*?)|body: (?P<target>[A-Z]+ \S+)) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$"
    r"|^<!-- run\n(?P<hidden>.*?)^-->$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'^ title="([^"]+)"$')
_STAND_IN = re.compile(r"^<!-- stand-in: (.+?) -> (.+?) -->$", re.MULTILINE)


class Use(Enum):
    """What a block is for."""

    COMMAND = "command"
    OUTPUT = "output"
    BODY = "body"
    FILE = "file"
    NOT_RUN = "not run"
    DRAWING = "drawing"
    UNKNOWN = "unknown"


COMMANDS = frozenset({"sh", "python", "http"})
OUTPUTS = frozenset({"json", "text"})


@dataclass(frozen=True)
class Block:
    """One block of a page.

    ``place`` is its page, from the root of the repository, and the line of its fence. ``name`` is the file that it
    is, where it is one; ``reason`` why it is not run, where it is not; ``target`` the method and path that a body goes
    to.
    """

    place: str
    language: str
    text: str
    use: Use
    name: str = ""
    reason: str = ""
    target: str = ""


def pages() -> list[str]:
    """All documents, as paths from the root of the repository."""
    found = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))
    return ["README.md", *found]


def blocks_of(page: str) -> list[Block]:
    """The blocks of a document, in its order, with their stand-ins."""
    return list(read_blocks((ROOT / page).read_text("utf-8"), page))


def read_blocks(page: str, name: str) -> Iterator[Block]:
    """The blocks of a text; ``name`` is what their places start with."""
    stand_ins = _STAND_IN.findall(page)
    end, before = 0, Use.UNKNOWN
    for found in _FENCE.finditer(page):
        text = found["hidden"] or found["text"] or ""
        for this, that in stand_ins:
            text = text.replace(this, that)
        fence = found.start() + found[0].find("```") if found["hidden"] is None else found.start()
        title = _TITLE.match(found["rest"] or "")
        use = _use(found, is_below_command=before in {Use.COMMAND, Use.BODY} and not page[end : found.start()].strip())
        yield Block(
            place=f"{name}:{page.count(chr(10), 0, fence) + 1}",
            language=found["language"] or "sh" if found["hidden"] is not None else found["language"],
            text=_without(found["indent"] or "", text),
            use=use,
            name=title[1] if title else "",
            reason=found["reason"] or "",
            target=found["target"] or "",
        )
        end, before = found.end(), use


def _use(found: re.Match[str], *, is_below_command: bool) -> Use:
    language = found["language"]
    if found["reason"]:
        return Use.NOT_RUN
    if found["target"]:
        return Use.BODY if language == "json" else Use.UNKNOWN
    if found["rest"]:
        return Use.FILE if _TITLE.match(found["rest"]) else Use.UNKNOWN
    if found["hidden"] is not None or language in COMMANDS:
        return Use.COMMAND
    return Use.OUTPUT if is_below_command and language in OUTPUTS else Use.UNKNOWN if language else Use.DRAWING


def _without(indent: str, text: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
