"""The tokens of a filter string, as Lucene's classic query parser cuts them, for luqum's grammar.

luqum's own lexer knows no ``&&``, ``||`` and ``!``, no value that begins with an apostrophe and no negative
bound after ``>``; and it is shared by all threads. This one belongs to one parse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from luqum.head_tail import TokenValue
from luqum.tree import Item, Phrase, Regex, Word

from sidecar.searching.filter_errors import filter_error

MAX_TOKENS = 20_000
MAX_VALUES = 10_000
"""luqum's work grows with the square of the operands of one operator: about a second at this limit."""

_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r"""
    (?P<PHRASE>"(?:[^"\\]|\\.)*")
  | (?P<REGEX>/(?:[^/\\]|\\.)*/)
  | ~(?P<APPROX>\d+(?:\.\d+)?|\.\d+)?
  | \^(?P<BOOST>\d+(?:\.\d+)?|\.\d+)?
  | (?P<LPAREN>\() | (?P<RPAREN>\))
  | (?P<LBRACKET>[\[{]) | (?P<RBRACKET>[\]}])
  | (?P<GREATERTHAN>>=?) | (?P<LESSTHAN><=?)
  | (?P<COLUMN>:) | (?P<PLUS>\+) | (?P<MINUS>-) | (?P<NOT>!)
    """,
    re.VERBOSE | re.DOTALL,
)
_TERM_PATTERN = r"""
    (?: \d{4}-\d\d-\d\dT\d\d (?::\d\d)+ (?:[.,]\d+)? (?:[+-]\d\d:\d\d)?    # a time of day keeps its colons
      | \\. | [^\s"():^~\[\]{}/!+\-<>\\] )
    (?: \\. | [^\s"():^~\[\]{}\\] )*
"""
_TERM = re.compile(_TERM_PATTERN, re.VERBOSE | re.DOTALL)
_SIGNED_TERM = re.compile("[+-]?" + _TERM_PATTERN, re.VERBOSE | re.DOTALL)
_BOUND = re.compile(r'(?:\\.|[^\s"\]}\\])(?:\\.|[^\s\]}\\])*', re.DOTALL)
_OPERATORS = {"AND": "AND_OP", "&&": "AND_OP", "OR": "OR_OP", "||": "OR_OP", "NOT": "NOT"}
_ITEMS: dict[str, type[Item]] = {"TERM": Word, "PHRASE": Phrase, "REGEX": Regex}
_SIGN_IS_VALUE_AFTER = ("COLUMN", "GREATERTHAN", "LESSTHAN")
_UNCLOSED = {
    '"': "this quote is not closed",
    "/": "this regular expression is not closed",
    "\\": "no character follows this backslash",
}


@dataclass(slots=True)
class Token:
    """A token in the shape that PLY's parsers read; they set ``lexer`` on the one they can't use."""

    type: str
    value: Item | TokenValue
    lexpos: int
    text: str
    lineno: int = 1
    lexer: FilterLexer | None = None


class FilterLexer:
    """Hands the tokens of one filter string, one by one, to luqum's parser."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._in_range = False
        self._count = 0
        self._values = 0
        self.last: Token | None = None
        """The token handed out last; None before the first and after the end."""
        self.unclosed: list[Token] = []
        """The parentheses and brackets that are open, the innermost last."""

    def input(self, text: str) -> None:
        """Nothing to do: the text is known from the start. PLY calls this."""

    def token(self) -> Token | None:
        """The next token; None at the end.

        Raises: InvalidArgument for what can't be a token.
        """
        space = _SPACE.match(self._text, self._position)
        start = space.end() if space else self._position
        self._count += 1
        if self._count > MAX_TOKENS:
            raise filter_error(start, f"more than {MAX_TOKENS:,} words and signs; ask for less, or in several searches")
        self.last = self._token_at(start) if start < len(self._text) else None
        # What stands before a colon is a field.
        kind = None if self.last is None else self.last.type
        self._values += (kind in _ITEMS) - (kind == "COLUMN")
        if self._values > MAX_VALUES:
            raise filter_error(start, f"more than {MAX_VALUES:,} values; ask for less, or in several searches")
        return self.last

    def _token_at(self, start: int) -> Token:
        found = self._term_at(start) or _TOKEN.match(self._text, start)
        if found is None:
            raise filter_error(
                start,
                f"{_UNCLOSED[self._text[start]]}; put a backslash before the sign if it belongs to the value",
            )
        self._position = found.end()
        text = found.group()
        if found.re is _TOKEN:
            kind = found.lastgroup or ("APPROX" if text[0] == "~" else "BOOST")
        elif self._in_range:
            kind = "TO" if text == "TO" else "TERM"
        else:
            kind = _OPERATORS.get(text, "TERM")
        if kind in ("LBRACKET", "RBRACKET"):
            self._in_range = kind == "LBRACKET"
        token = Token(kind, self._value(kind, text, start), start, text)
        if kind in ("LPAREN", "LBRACKET"):
            self.unclosed.append(token)
        elif kind in ("RPAREN", "RBRACKET") and self.unclosed:
            self.unclosed.pop()
        return token

    def _value(self, kind: str, text: str, start: int) -> Item | TokenValue:
        """What luqum builds its tree from: a value of the filter, or the text of a sign."""
        value: Item | TokenValue
        if kind in _ITEMS:
            value = _ITEMS[kind](text)
        elif kind == "APPROX":
            # luqum takes whole numbers only for the nearness of a phrase's words, which means nothing here.
            is_phrase = self.last is not None and self.last.type == "PHRASE"
            value = TokenValue(None if is_phrase else text[1:] or None)
        else:
            value = TokenValue(None if kind == "BOOST" else text)  # no boost changes what matches
        value.pos, value.size = start, len(text)
        return value

    def _term_at(self, start: int) -> re.Match[str] | None:
        if self._in_range:
            return _BOUND.match(self._text, start)
        if self.last is not None and self.last.type in _SIGN_IS_VALUE_AFTER:
            return _SIGNED_TERM.match(self._text, start)
        return _TERM.match(self._text, start)
