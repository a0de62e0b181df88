"""Where the tokens of a text begin, by the rules of Lucene's tokenizers."""

from __future__ import annotations

import re
from typing import Final

LONGEST_TOKEN: Final = 255
"""Characters; a longer one is several (`max_token_length` of Lucene's tokenizers)."""

# Of scripts without spaces each character is a token (Han, Hiragana), or each run is (those of South-East Asia).
_ALONE = "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff"
_ALONE += "\uf900-\ufaff\U0001b001\U0001f200\U00020000-\U0003134f"
_RUNS = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u109f\u1780-\u17d3\u17d7\u17dc\u1950-\u19df\u1a20-\u1aad"
_KATAKANA = "\u3031-\u3035\u309b\u309c\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u32d0-\u32fe\u3300-\u3357\uff66-\uff9f"
_EMOJI = "\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23fa\U0001f000-\U0001f1ff\U0001f201-\U0001faff"
# What joins, of UAX #29: MidLetter, MidNumLet with the quotes, MidNum; and ExtendNumLet, which joins anything.
_MID_LETTER = ":\u00b7\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a"
_MID_BOTH = ".'\u2018\u2019\u2024\ufe52\uff07\uff0e"
_MID_NUMBER = ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b"
_JOINER = "_\u202f\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f"
_MARK = "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u1ab0-\u1aff\u1dc0-\u1dff"
_MARK += "\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u00ad]"

_LETTER = rf"(?:(?![{_ALONE}{_RUNS}{_KATAKANA}{_JOINER}])[^\W\d_]{_MARK}*)"
_DIGIT = rf"(?:\d{_MARK}*)"
_LETTERS = rf"{_LETTER}(?:[{_MID_LETTER}{_MID_BOTH}](?={_LETTER}))?"
_DIGITS = rf"{_DIGIT}(?:[{_MID_NUMBER}{_MID_BOTH}](?={_DIGIT}))?"
_CORE = rf"(?:{_LETTERS}|{_DIGITS})+"
_KANA = rf"(?:[{_KATAKANA}]{_MARK}*)+"
# A run of joiners is looked at from its start alone: from each of its characters would take the square of its length.
_STANDARD = re.compile(
    rf"(?<![{_JOINER}])[{_JOINER}]*(?:{_CORE}|{_KANA})(?:[{_JOINER}]+(?:{_CORE}|{_KANA}))*[{_JOINER}]*"
    rf"|[{_ALONE}]{_MARK}*|[{_RUNS}]+|[{_EMOJI}](?:{_MARK}|[\U0001f3fb-\U0001f3ff]|(?<=\u200d)[{_EMOJI}])*"
)

_PATTERNS = {"letter": re.compile(r"[^\W\d_]+"), "whitespace": re.compile(r"\S+")}
_PATTERNS["lowercase"] = _PATTERNS["letter"]


def token_starts(text: str, tokenizer: str) -> list[int]:
    """The first character of each token, in order.

    ``uax_url_email``, ``classic`` and ``thai`` are taken for the standard one, whose tokens of prose are the same.
    """
    starts: list[int] = []
    for match in _PATTERNS.get(tokenizer, _STANDARD).finditer(text):
        starts += range(match.start(), match.end(), LONGEST_TOKEN)
    return starts
