"""Ways to write down what a filter asks: one of the many spellings of a tree, chosen by chance."""

from __future__ import annotations

import random
import re

from tests.filter_language.meaning import (
    Between,
    Chain,
    Equal,
    Everything,
    Leaf,
    Like,
    Matching,
    Near,
    Node,
    Nothing,
    Present,
    Wild,
)

_SPECIAL = set('+-&|!(){}[]^"~*?:\\/<>')
_JOINTS = {"": (" ", "  ", "\n"), "AND": (" AND ", " && "), "OR": (" OR ", " || ")}
_SIGNS = {"": ("",), "+": ("+",), "-": ("-", "!", "NOT ")}
_RESERVED = {"AND", "OR", "NOT", "TO"}


class Writer:
    """Spells trees; the same generator state gives the same spelling."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def write(self, node: Node) -> str:
        """The node as a whole filter."""
        return self._chain(node) if isinstance(node, Chain) and self._often(0.8) else self._part(node)

    def _part(self, node: Node) -> str:
        """The node as it can stand beside others."""
        if not isinstance(node, Chain):
            text = self._leaf(node)
            return f"({text})" if self._often(0.1) else text
        field = _shared_field(node)
        if field is not None and self._often(0.6):
            return f"{_escaped(field)}:{self._group(node)}"
        return f"({self._chain(node)})"

    def _chain(self, chain: Chain) -> str:
        return self._join(chain, [self._part(operand.node) for operand in chain.operands])

    def _join(self, chain: Chain, texts: list[str]) -> str:
        written = ""
        for number, (operand, text) in enumerate(zip(chain.operands, texts, strict=True)):
            joint = self._chance.choice(_JOINTS[operand.joint]) if number else ""
            written += joint + self._chance.choice(_SIGNS[operand.sign]) + text
        return written

    def _group(self, chain: Chain) -> str:
        """Values of one field in parentheses; those side by side in quotes, for bare words would be one value."""
        texts = []
        for operand in chain.operands:
            in_quotes = isinstance(operand.node, Equal) and len(texts) % 2
            texts.append(_quoted(operand.node.text) if in_quotes else self._value(operand.node))
        return f"({self._join(chain, texts)})"

    def _leaf(self, leaf: Leaf) -> str:
        match leaf:
            case Everything():
                return "*:*"
            case Nothing(text=text):
                return text
            case Present(field=field) if self._often(0.3):
                return f"_exists_:{_escaped(field)}"
        text = f"{_escaped(leaf.field)}:{self._value(leaf)}"
        return text + "^2.5" if self._often(0.05) else text

    def _value(self, node: Node) -> str:
        match node:
            case Equal(text=text):
                return self._text(text)
            case Present():
                return self._chance.choice(("*", "[* TO *]", "{* TO *}"))
            case Like(pieces=pieces):
                return "".join(piece.value if isinstance(piece, Wild) else _escaped(piece) for piece in pieces)
            case Matching(pattern=pattern):
                return "/" + pattern.replace("/", r"\/") + "/"
            case Near(text=text, edits=edits):
                return _escaped(text) + "~" + ("" if edits is None else str(edits))
            case Between():
                return self._range(node)
        raise AssertionError(f"{node} has no value")

    def _text(self, text: str) -> str:
        words = text.split(" ")
        ways = [_quoted(text)]
        if text:
            ways.append(_escaped(text))
        if all(words):
            ways.append("(" + " ".join(map(_escaped, words)) + ")")
        return self._chance.choice(ways)

    def _range(self, leaf: Between) -> str:
        signs = {True: ("[", "]", ">=", "<="), False: ("{", "}", ">", "<")}
        low, high = ("*" if end is None else self._end(end) for end in (leaf.low, leaf.high))
        if leaf.high is None and self._often(0.5):
            return signs[leaf.include_low][2] + low
        if leaf.low is None and self._often(0.5):
            return signs[leaf.include_high][3] + high
        return f"{signs[leaf.include_low][0]}{low} TO {high}{signs[leaf.include_high][1]}"

    def _end(self, text: str) -> str:
        is_plain = re.fullmatch(r"[\w.+-]+", text, re.ASCII) and text not in _RESERVED
        return text if is_plain and self._often(0.8) else _quoted(text)

    def _often(self, share: float) -> bool:
        return self._chance.random() < share


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """A name or value without quotes: special characters, and words that mean something, after a backslash."""
    if text in _RESERVED:
        return "\\" + text
    return "".join("\\" + letter if letter in _SPECIAL or letter.isspace() else letter for letter in text)


def _shared_field(chain: Chain) -> str | None:
    """The field that all parts of a chain of leaves are about; None where they are about several, or none."""
    fields = {getattr(operand.node, "field", None) for operand in chain.operands}
    return fields.pop() if len(fields) == 1 else None
