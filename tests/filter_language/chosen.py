"""Filters chosen by chance: what they ask of the corpus's documents."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.filter_language.corpus import COLORS, FRONTS, SIGNS, SIZES, TAGS, WEIGHTS, documents
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
    Operand,
    Present,
    Wild,
)
from tests.filter_language.spelling import Writer

_TEXTS = {
    "color": COLORS,
    "tags": TAGS,
    "my field": SIGNS,
    'odd:(name) "x"*?': (*SIGNS, *COLORS),
    "\u00fcn\u00ef": COLORS,
    "look.front": FRONTS,
    "look.back side": COLORS,
    "nowhere": COLORS,
    "look.nowhere": TAGS,
}
_NUMBERS = {
    "size": (*map(str, SIZES), "10.0", "1e1", "1.5", "-0", "9223372036854775808", "1e99", "x", ""),
    "weight": (*map(str, WEIGHTS), "0.3", "1e0", "-0", "16777216", "1e40", "-1e400", "x", "0"),
}
_IDS = tuple(document["_id"] for document in documents())
_FIELDS = (*_TEXTS, *_NUMBERS, "ok", "_id", "look", "title")
_PATTERNS = (
    *(
        "red",
        "[rR]ed",
        "re.",
        "r.*d",
        ".*",
        ".+",
        "",
        "(dark|light) (red|blue)",
        "(red)?",
        "[^r].*",
        "[a-c]+",
        "r(ee|o)d.*",
    ),
    *(
        "a{1,3}",
        "[ab]{2}",
        "(ab|a|c|d)*",
        ".{2,4}",
        ".{3}",
        r"\(x\)",
        r"x\*",
        r".*\\.*",
        "[a-z]/[a-z]",
        r"\+.*",
        r".*\".*",
    ),
    *("\U0001f534.*", ".", "gr.+n", "\u00e9.\u00e9", r"[\[(]x.", "red|blue|r", "(a|b)c?", r"\{x\}", r"\#\@", r"1\+1"),
)
_BARE = ("red", '"dark red"', "/re./", "re*", "re~1", "10", "[a TO b]")


class Chooser:
    """Makes trees of all forms; the same generator state gives the same tree."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def node(self, depth: int = 0) -> Node:
        """A leaf, or a chain of leaves and further chains, at most three within one another."""
        if depth == 3 or self._chance.random() < (0.25, 0.5, 0.7)[depth]:
            return self.leaf(self._chance.choice(_FIELDS))
        if self._chance.random() < 0.3:
            field = self._chance.choice(_FIELDS)
            return self._chain(lambda: self.leaf(field, is_bare_allowed=False))
        return self._chain(lambda: self.node(depth + 1))

    def leaf(self, field: str, *, is_bare_allowed: bool = True) -> Leaf:
        """One condition on the field; now and then one that has no field."""
        if is_bare_allowed and self._chance.random() < 0.06:
            return self._chance.choice((Everything(), Nothing(self._chance.choice(_BARE))))
        if self._chance.random() < 0.08:
            return Present(field)
        if field in _NUMBERS:
            return self._number(field)
        if field == "ok":
            return Equal(field, self._chance.choice(("true", "false", "True", "1", "yes")))
        if field == "_id":
            return Equal(field, self._chance.choice((*_IDS, "nobody", "doc")))
        return self._text(field, _TEXTS.get(field, ("thing 1", "thing", "Thing 1", "oak")))

    def _chain(self, make: Callable[[], Node]) -> Chain:
        operands = []
        for _ in range(self._chance.randint(1, 4)):
            joint = self._chance.choice(("", "OR", "OR", "AND", "AND"))
            sign = self._chance.choice(("", "", "", "", "+", "-", "-"))
            operands.append(Operand(joint, sign, make()))
        return Chain(tuple(operands))

    def _number(self, field: str) -> Leaf:
        pool = _NUMBERS[field]
        if self._chance.random() < 0.4:
            return Equal(field, self._chance.choice(pool))
        if self._chance.random() < 0.1:
            return Like(field, ("1", Wild.ANY))
        return self._between(field, pool)

    def _between(self, field: str, pool: tuple[str, ...]) -> Between:
        low = self._chance.choice(pool)
        high = low if self._chance.random() < 0.1 else self._chance.choice(pool)
        shape = self._chance.random()
        include = self._chance.random() < 0.5, self._chance.random() < 0.5
        if shape < 0.25:
            return Between(field, low, None, *include)
        if shape < 0.5:
            return Between(field, None, high, *include)
        return Between(field, low, high, *include)

    def _text(self, field: str, pool: tuple[str, ...]) -> Leaf:
        text = self._chance.choice(pool)
        kind = self._chance.random()
        if kind < 0.45 or not text:
            return Equal(field, text)
        if kind < 0.6:
            return self._like(field, text)
        if kind < 0.72:
            return Matching(field, self._chance.choice(_PATTERNS))
        if kind < 0.87:
            return Near(field, self._misspelt(text), self._chance.choice((None, None, 0, 1, 1, 2, 2)))
        return self._between(field, pool)

    def _like(self, field: str, text: str) -> Like:
        """The text with one or two stretches of it left open."""
        pieces: list[str | Wild] = list(text)
        for _ in range(self._chance.randint(1, 2)):
            place = self._chance.randrange(len(pieces))
            if self._chance.random() < 0.5:
                pieces[place : place + self._chance.randrange(3)] = [Wild.ANY]
            else:
                pieces[place] = Wild.ONE
        return Like(field, (text[0], Wild.ANY) if pieces == [Wild.ANY] else tuple(pieces))

    def _misspelt(self, text: str) -> str:
        letters = list(text)
        for _ in range(self._chance.randrange(3)):
            place = self._chance.randrange(len(letters))
            change = self._chance.randrange(4)
            if change == 0 and len(letters) > 1:
                del letters[place]
            elif change == 1:
                letters.insert(place, self._chance.choice("redx"))
            elif change == 2:
                letters[place] = self._chance.choice("abrdx")
            else:
                letters[place : place + 2] = letters[place : place + 2][::-1]
        return "".join(letters)


def choose_filters(count: int, *, seed: int) -> list[tuple[str, Node]]:
    """As many filters as asked for: how each is written, and what it asks."""
    chance = random.Random(seed)
    chooser, writer = Chooser(chance), Writer(chance)
    chosen = []
    for _ in range(count):
        node = chooser.node()
        chosen.append((writer.write(node), node))
    return chosen
