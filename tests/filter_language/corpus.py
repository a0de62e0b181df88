"""Documents of many shapes for filters to find, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

COUNT = 200
TENSOR_FIELDS = ("title", "look")
MAPPINGS = {"look": {"type": "multimodal_combination", "weights": {"front": 0.5, "back side": 0.5}}}

COLORS = (
    *("red", "Red", "RED", "reed", "rode", "rd", "r", "dark red", "dark  red", "Dark Red", "red dark", "erd", "bred"),
    *("blue", "light blue", "blau", "bleu", "green", "gre\u00fcn", "gr\u00fcn", "gru\u0308n", "\u7d05\u8272", "\u7d05"),
    *("", " ", " red", "red ", "caf\u00e9", "\U0001f534", "\U0001f534red", "\u00dfrot", "a", "ab", "abc", "abcd"),
    *("AND", "NOT red", "red OR blue", "TO"),
)
SIGNS = (
    *("a/b", "a:b", "c:\\d\\e", 'say "hi"', "(x)", "[x]", "{x}", "x*", "x?", "~x~", "^2", "+x", "-x", "!x", "&&", "||"),
    *(
        "a&b",
        "a|b",
        "<x>",
        ">5",
        ">=5",
        "=",
        "#@",
        "'tis",
        "a.b",
        "$",
        "1+1",
        "x\\",
        "\\",
        "/re/",
        "line\nbreak",
        "tab\t",
    ),
    *("http://a.b/c?d=e&f=%20", "\u00a0", "\u3000x", "\u2028", "10", "1e1", "010", "-5", "true", "null", "*", "**"),
)
TAGS = ("x", "y", "y z", "X", "z:z", "", "\u00e9t\u00e9", "x y z")
SIZES = (0, 1, 5, 9, 10, 11, 15, 20, 30, 100, -1, -5, -20, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))
WEIGHTS = (
    0.0,
    -0.0,
    0.1,
    0.2,
    0.30000001,
    0.5,
    1.0,
    2.0,
    2.5,
    -0.1,
    -2.5,
    1e-30,
    1e30,
    16777217.0,
    3.4028234663852886e38,
)
FRONTS = ("oak", "oak tree", "Elm", "a/b:c", "elm\\")


def documents() -> list[dict[str, Any]]:
    """All of them, each with an ``_id``, a ``title`` that has the word "thing", and some of the other fields."""
    chance = random.Random(7)
    return [_document(chance, number) for number in range(COUNT)]


def _document(chance: random.Random, number: int) -> dict[str, Any]:
    document: dict[str, Any] = {"_id": _id(number), "title": f"thing {number % 10}"}
    choices: dict[str, Any] = {
        "color": chance.choice(COLORS),
        "size": chance.choice(SIZES),
        "weight": chance.choice(WEIGHTS),
        "ok": chance.random() < 0.5,
        "tags": chance.sample(TAGS, chance.randrange(4)),
        "my field": chance.choice(SIGNS),
        'odd:(name) "x"*?': chance.choice([*SIGNS, *COLORS]),
        "\u00fcn\u00ef": chance.choice(COLORS),
        "look": {"front": chance.choice(FRONTS), "back side": chance.choice(COLORS)},
    }
    if chance.random() < 0.3:
        choices["color"] = chance.sample(COLORS, 2)
    document |= {name: value for name, value in choices.items() if chance.random() < 0.75}
    if "look" in document and chance.random() < 0.3:
        del document["look"][chance.choice(("front", "back side"))]
    return document


def _id(number: int) -> str:
    return ("doc-{}", "doc {}", "D{}", "{}", "a:b({})")[number % 5].format(number)


def values(document: Document, field: str) -> list[Any]:
    """The field's values: none, one, or those of a list; a dot leads to a sub-field."""
    if field in document:
        found = document[field]
        return list(found) if isinstance(found, list) else [found]
    name, _, sub = field.partition(".")
    inner = document.get(name)
    return [inner[sub]] if isinstance(inner, dict) and sub in inner else []
