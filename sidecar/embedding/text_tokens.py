"""Turns texts into the arrays of tokens that a converted text model takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from sidecar.embedding.loader import Prepared


class TextTokens:
    """A tokenizer that cuts at ``max_tokens``; takes white space off a text's ends where ``strips_text``."""

    def __init__(self, path: Path, max_tokens: int, *, strips_text: bool) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._strip = strips_text

    def prepare(self, texts: Sequence[str]) -> list[Prepared]:
        """Tokenise, in the order given."""
        cleaned = [self._clean(text) for text in texts]
        if len(cleaned) == 1:
            return [_prepared(self._tokenizer.encode(cleaned[0]))]
        return [_prepared(encoding) for encoding in self._tokenizer.encode_batch_fast(cleaned)]

    def prepare_pairs(self, q: str, texts: Sequence[str]) -> list[Prepared]:
        """Tokenise ``q`` with each of the texts, in the order given; of a pair that is too long, the longer is cut."""
        first = self._clean(q)
        pairs = [(first, self._clean(text)) for text in texts]
        return [_prepared(encoding) for encoding in self._tokenizer.encode_batch_fast(pairs)]

    def _clean(self, text: str) -> str:
        return _without_surrogates(text.strip() if self._strip else text)


def token_arrays(batch: Sequence[Prepared], inputs: Sequence[str]) -> dict[str, NDArray[Any]]:
    """A graph's ``inputs`` for the batch: int64, shape (len(batch), tokens of the longest), padded with zeros."""
    shape = (len(batch), max(prepared.tokens for prepared in batch))
    arrays = {name: np.zeros(shape, dtype=np.int64) for name in inputs}
    for row, prepared in enumerate(batch):
        ids, type_ids = prepared.payload
        arrays["input_ids"][row, : len(ids)] = ids
        arrays["attention_mask"][row, : len(ids)] = 1
        if "token_type_ids" in arrays:
            arrays["token_type_ids"][row, : len(ids)] = type_ids
    return arrays


def _prepared(encoding: Encoding) -> Prepared:
    return Prepared((encoding.ids, encoding.type_ids), max(1, len(encoding.ids)))


def _without_surrogates(text: str) -> str:
    # JSON may carry half of a surrogate pair, which no tokenizer takes.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
