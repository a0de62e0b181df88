"""Real texts that every machine has: the docstrings of Python's own standard library, and an article of law in many
languages. Ranges of activations are calibrated on them, and precisions compared.
"""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SHORTEST_TEXT = 40

# Article 1 of the Universal Declaration of Human Rights (United Nations, 1948; in the public domain).
_ARTICLES = [
    "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and "
    "should act towards one another in a spirit of brotherhood.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und "
    "sollen einander im Geist der Brüderlichkeit begegnen.",
    "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de "
    "conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
    "conciencia, deben comportarse fraternalmente los unos con los otros.",
    "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны "
    "поступать в отношении друг друга в духе братства.",
    "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
]


def calibration_texts(count: int) -> list[str]:
    """``count`` texts of 2 to some 500 words: docstrings from all over the library, their first lines as short texts,
    and the articles. The same Python gives the same texts.

    Raises: ValueError where this Python has not the sources of its library.
    """
    docstrings = _docstrings(Path(sysconfig.get_path("stdlib")))
    wanted = count - len(_ARTICLES)
    if len(docstrings) < wanted:
        raise ValueError(
            f"int8 is calibrated on {wanted} docstrings of Python's standard library; this Python has {len(docstrings)}"
        )
    chosen = [docstrings[number * len(docstrings) // wanted] for number in range(wanted)]
    return [*(text.splitlines()[0] if number % 4 == 3 else text for number, text in enumerate(chosen)), *_ARTICLES]


def _docstrings(library: Path) -> list[str]:
    found: dict[str, None] = {}
    for path in sorted(library.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            text = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
            if text and len(text) >= _SHORTEST_TEXT:
                found[text] = None
    return list(found)
