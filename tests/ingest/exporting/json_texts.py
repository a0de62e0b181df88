"""JSON texts of documents, in any spelling that the cluster takes."""

from __future__ import annotations

import json

from hypothesis import strategies as st

_NUMBERS = ("0", "-0.0", "1.0", "1e5", "1E-7", "1.50", "9007199254740993", "1234567890" * 3, "0.1234567890123456789")
_STRINGS = ('"\\u00e9"', '"\\ud83d\\ude00"', '"a\\/b\\n\\"\\\\"', '"\\ud800"', '"//no /* comment */"', '"ü😀"', '""')
PLAIN = st.one_of(st.sampled_from((*_NUMBERS, *_STRINGS, "true", "null")), st.text(max_size=8).map(json.dumps))
KEYS = st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=5)
COMMENT = "/* a \n comment */"
BLANKS = st.sampled_from(("", "\n  ", COMMENT))


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON texts of objects, with blanks and comments between their members."""

    def text(members: dict[str, str], blank: str) -> str:
        return "{" + f",{blank}".join(f"{json.dumps(key)}:{blank}{value}" for key, value in members.items()) + "}"

    return st.builds(text, st.dictionaries(KEYS, inner, max_size=3), BLANKS)


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")


VALUES = st.recursive(PLAIN, lambda inner: objects(inner) | lists(inner), max_leaves=5)
DOCUMENTS = st.lists(objects(VALUES), min_size=1, max_size=8)
"""JSON texts of documents, in any spelling."""
