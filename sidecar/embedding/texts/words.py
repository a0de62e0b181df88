"""Where the words of a text lie."""

from __future__ import annotations

import re

from sidecar.embedding.texts.spans import Span

# After the Penn Treebank: contractions come apart ("do" "n't", "it" "'s") and punctuation stands alone;
# numbers ("1,000.50"), dotted or hyphenated names ("os.path", "well-known") and abbreviations ("U.S.") stay
# whole.
_WORD = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                                            # U.S.
  | [^\W\d_]+?(?=n['’]t\b)                                        # do | n't
  | n['’]t\b
  | ['’](?:s|m|d|ll|re|ve)\b
  | \w+(?:[-./@]\w+|[,:]\d+|['’](?!(?:s|m|d|ll|re|ve|t)\b)\w+)*   # a word, a number, a dotted name, O'Brien
  | \.{2,} | -{2,}
  | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)


def word_spans(text: str) -> list[Span]:
    """Where the words and the punctuation marks of the text lie, in order."""
    return [match.span() for match in _WORD.finditer(text)]
