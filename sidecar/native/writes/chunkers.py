"""Cutting texts into chunks by the neural-search plugin's algorithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sidecar.errors import InvalidArgument
from sidecar.native.declarations.chunking import DELIMITER, FIXED_CHAR_LENGTH, FIXED_TOKEN_LENGTH, NO_CHUNK_LIMIT
from sidecar.native.declarations.declaration import Chunking
from sidecar.native.writes.tokens import token_starts

MOST_TOKENS: Final = 10_000
"""Of one text: `index.analyze.max_token_count` by default, beyond which the plugin refuses the document."""

_IsFull = Callable[[int], bool]
"""True where so many chunks are there that all the rest must be one."""


class Chunker:
    """Cuts the texts that belong together, as those of one document, by one algorithm.

    All of them together give at most ``max_chunk_limit`` chunks: the last chunk that a text may have takes the rest of
    it (`Chunker.checkRunTimeMaxChunkLimit` of the plugin). Lengths are characters; the plugin counts UTF-16 units.
    """

    def __init__(self, chunking: Chunking) -> None:
        self._cut = _ALGORITHMS[chunking.algorithm]
        self._parameters = chunking.parameters

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """The chunks of each text; none of an empty one. Raises: InvalidArgument for a text of too many tokens."""
        left = int(self._parameters.get("max_chunk_limit", 100))
        is_limited = left != NO_CHUNK_LIMIT
        waiting = sum(1 for text in texts if text)
        result: list[list[str]] = []
        for text in texts:
            if not text:
                result.append([])
                continue
            chunks = self._cut(text, self._parameters, _full_at(left, waiting) if is_limited else _never)
            result.append(chunks)
            waiting -= 1
            left -= len(chunks)
        return result


def cut_by_all(text: str, chunkings: Sequence[Chunking]) -> list[str]:
    """The chunks of a text, each cut further by the next way of chunking. Raises: as `Chunker.cut`."""
    chunks = [text]
    for chunking in chunkings:
        chunks = [piece for pieces in Chunker(chunking).cut(chunks) for piece in pieces]
    return chunks


def _full_at(limit: int, waiting: int) -> _IsFull:
    return lambda count: count + waiting >= limit


def _never(count: int) -> bool:
    return False


def _fixed_token_length(text: str, parameters: Mapping[str, Any], is_full: _IsFull) -> list[str]:
    limit = int(parameters.get("token_limit", 384))
    step = limit - math.floor(limit * float(parameters.get("overlap_rate", 0)))
    starts = token_starts(text, str(parameters.get("tokenizer", "standard")))
    if len(starts) > MOST_TOKENS:
        raise InvalidArgument(
            f"a text has {len(starts):,} tokens, which is more than the {MOST_TOKENS:,} that fixed_token_length takes"
        )
    chunks: list[str] = []
    for first in range(0, len(starts), step):
        start = starts[first] if first else 0
        if first + limit >= len(starts) or is_full(len(chunks)):
            chunks.append(text[start:])
            break
        chunks.append(text[start : starts[first + limit]])
    return chunks


def _fixed_char_length(text: str, parameters: Mapping[str, Any], is_full: _IsFull) -> list[str]:
    limit = int(parameters.get("char_limit", 2048))
    step = limit - math.floor(limit * float(parameters.get("overlap_rate", 0)))
    chunks: list[str] = []
    for start in range(0, len(text), step):
        if start + limit >= len(text) or is_full(len(chunks)):
            chunks.append(text[start:])
            break
        chunks.append(text[start : start + limit])
    return chunks


def _delimiter(text: str, parameters: Mapping[str, Any], is_full: _IsFull) -> list[str]:
    delimiter = str(parameters.get("delimiter", "\n\n"))
    chunks: list[str] = []
    start = 0
    while (found := text.find(delimiter, start)) >= 0 and not is_full(len(chunks)):
        chunks.append(text[start : found + len(delimiter)])
        start = found + len(delimiter)
    return [*chunks, text[start:]] if start < len(text) else chunks


_ALGORITHMS: dict[str, Callable[[str, Mapping[str, Any], _IsFull], list[str]]] = {
    FIXED_TOKEN_LENGTH: _fixed_token_length,
    FIXED_CHAR_LENGTH: _fixed_char_length,
    DELIMITER: _delimiter,
}
