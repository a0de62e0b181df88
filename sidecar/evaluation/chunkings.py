"""How texts are cut, in the one word that a choice has for it."""

from __future__ import annotations

from typing import Any

from sidecar.embedding.texts.chunking import SplitMethod, TextPreprocessing
from sidecar.errors import InvalidArgument

NONE = "none"
_LONGER_THAN_ANY = 1_000_000_000
"""Characters: more than a document has."""


def checked_chunking(text: str) -> str | None:
    """``method/length/overlap`` of a text like ``sentence/2`` or ``word/100/20``; None for ``none``.

    Raises: InvalidArgument.
    """
    if text == NONE:
        return None
    method, _, rest = text.partition("/")
    length, _, overlap = rest.partition("/")
    if method not in {one.value for one in SplitMethod} or not length.isdecimal() or not (overlap or "0").isdecimal():
        known = ", ".join(one.value for one in SplitMethod)
        raise InvalidArgument(
            f"chunking {text!r} must be {NONE} or METHOD/LENGTH/OVERLAP, as sentence/2/0; methods are {known}."
        )
    chosen = TextPreprocessing(int(length), int(overlap or 0), SplitMethod(method))
    return f"{chosen.split_method.value}/{chosen.split_length}/{chosen.split_overlap}"


def chunking_settings(chunking: str | None) -> dict[str, Any]:
    """The ``text_preprocessing`` of an index; without chunking all characters of a text are one chunk, as they are."""
    if chunking is None:
        return {"split_method": SplitMethod.CHARACTER.value, "split_length": _LONGER_THAN_ANY, "split_overlap": 0}
    method, length, overlap = chunking.split("/")
    return {"split_method": method, "split_length": int(length), "split_overlap": int(overlap)}
