"""Long answers read once, from front to back, by the speed of the standard library's own scanner.

`spans` tells where everything stands, for texts of some kilobytes; this tells where those values stand that somebody
asks for, in answers of megabytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sidecar.native.json.spans import NotJson

_BLANK = frozenset(" \t\r\n")
_BLANKS = re.compile(r"[ \t\r\n]*")
# Whole numbers stay texts: Python refuses those of more than 4,300 digits.
_decoder = json.JSONDecoder(strict=False, parse_int=str)


class Cursor:
    """Reads a text of JSON; ``place`` is where it stands, ``key_text`` the last key as it is written.

    ``text`` holds the bytes of the answer as latin-1, so that places are those of bytes, and a part encoded as latin-1
    is what the answer has. Strings in values are to be decoded anew; whole numbers are texts.
    """

    def __init__(self, text: str, place: int = 0) -> None:
        self.text = text
        self.place = place
        self.key_text = ""

    def members(self) -> Iterator[str]:
        """Enter an object: its keys. After each its value is to be read, by `value`, `members` or `items`.

        Raises: NotJson.
        """
        self._expect("{")
        if self._take("}"):
            return
        while True:
            self.skip_blanks()
            start = self.place
            key = self.value()
            self.key_text = self.text[start : self.place]
            self._expect(":")
            self.skip_blanks()
            yield key
            if self._take("}"):
                return
            self._expect(",")

    def items(self) -> Iterator[None]:
        """Enter a list. For each item the value is to be read, as of `members`. Raises: NotJson."""
        self._expect("[")
        if self._take("]"):
            return
        while True:
            self.skip_blanks()
            yield None
            if self._take("]"):
                return
            self._expect(",")

    def value(self) -> Any:
        """Read a value whole. Raises: NotJson."""
        self.skip_blanks()
        try:
            value, self.place = _decoder.raw_decode(self.text, self.place)
        except (ValueError, RecursionError) as error:
            raise NotJson(f"no JSON at byte {self.place}") from error
        return value

    def skip_blanks(self) -> None:
        """Go to the next value."""
        if self.text[self.place : self.place + 1] not in _BLANK:
            return
        found = _BLANKS.match(self.text, self.place)
        assert found is not None
        self.place = found.end()

    def _take(self, mark: str) -> bool:
        # Answers hardly ever have blanks there.
        is_there = self.text.startswith(mark, self.place)
        if not is_there:
            self.skip_blanks()
            is_there = self.text.startswith(mark, self.place)
        self.place += is_there
        return is_there

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise NotJson(f"no {mark} at byte {self.place}")
