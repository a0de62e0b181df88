"""Texts as a CLIP model takes them: open_clip's own token ids, without open_clip or torch in memory."""

from __future__ import annotations

import html
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import ftfy
import regex
from tokenizers import Tokenizer

PIECES = (
    r"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # as CLIP was trained
)


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What beside ``tokenizer.json`` makes texts to token ids.

    ``kind`` is ``clip`` (CLIP's byte pairs) or ``hf`` (any other, special tokens and all in its file). ``clean`` is
    lower, whitespace or canonicalize. ``context_length`` counts special tokens; ``pad_id`` fills shorter texts up.
    ``stripped_id`` is an id that the model gets as 0, -1 for none.
    """

    kind: str
    clean: str
    context_length: int
    pad_id: int
    start_id: int
    end_id: int
    stripped_id: int = -1

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> TokenizerFacts:
        """From JSON that `dataclasses.asdict` gave. Raises: TypeError."""
        return cls(**facts)


class ClipTokenizer:
    """Safe to use from several threads at once. Raises: on opening, whatever the library does for a spoilt file."""

    def __init__(self, path: Path, facts: TokenizerFacts, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._facts = facts
        self._clean = _CLEANERS[facts.clean]
        self._max_tokens = max(2, min(max_tokens, facts.context_length))
        self._pieces = regex.compile(PIECES, regex.IGNORECASE)
        self._tokenizer.no_padding()
        if facts.kind == "clip":
            self._tokenizer.no_truncation()
        else:
            self._tokenizer.enable_truncation(self._max_tokens)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with special ones, not padded; each text is cut at the model's length."""
        cleaned = [self._clean(text) for text in texts]
        if self._facts.kind == "clip":
            return self._encode_clip(cleaned)
        strip = self._facts.stripped_id
        encodings = self._tokenizer.encode_batch_fast(cleaned)
        return [[0 if token == strip else token for token in encoding.ids] for encoding in encodings]

    def _encode_clip(self, texts: Sequence[str]) -> list[list[int]]:
        room = self._max_tokens - 2
        # Each piece is at least one token, so that those behind the room can't matter.
        pieces = [[match[0] for match in islice(self._pieces.finditer(text), room)] for text in texts]
        encodings = self._tokenizer.encode_batch_fast(pieces, is_pretokenized=True, add_special_tokens=False)
        return [[self._facts.start_id, *encoding.ids[:room], self._facts.end_id] for encoding in encodings]


def _basic_clean(text: str) -> str:
    # JSON may carry half of a surrogate pair, which no tokenizer takes.
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    return html.unescape(html.unescape(ftfy.fix_text(whole))).strip()


def _clean_whitespace(text: str) -> str:
    return " ".join(_basic_clean(text).split())


def _clean_lower(text: str) -> str:
    return _clean_whitespace(text).lower()


def _clean_canonicalize(text: str) -> str:
    words = _basic_clean(text).replace("_", " ").translate(_NO_PUNCTUATION).lower()
    return " ".join(words.split())


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLEANERS: dict[str, Callable[[str], str]] = {
    "lower": _clean_lower,
    "whitespace": _clean_whitespace,
    "canonicalize": _clean_canonicalize,
}
