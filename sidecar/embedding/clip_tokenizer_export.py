"""Writes an open_clip tokenizer as a file that `ClipTokenizer` reads without open_clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from open_clip import tokenizer as own
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from sidecar.embedding.clip_probes import PROBE_TEXTS
from sidecar.embedding.clip_source import ClipModel
from sidecar.embedding.clip_tokenizer import ClipTokenizer, TokenizerFacts

_CLEANERS = {own._clean_lower: "lower", own._clean_whitespace: "whitespace", own._clean_canonicalize: "canonicalize"}


def write_tokenizer(clip: ClipModel, path: Path) -> TokenizerFacts:
    """Write the tokenizer to ``path``. Raises: ValueError for one that the file can't give the ids of."""
    tokenizer = clip.tokenizer
    write = next((write for kind, write in _WRITERS.items() if isinstance(tokenizer, kind)), None)
    if write is None:
        raise ValueError(f"tokenizers of the kind {type(tokenizer).__name__} have no converted form")
    facts = write(tokenizer, path)
    _check(tokenizer, path, facts)
    return facts


def _write_byte_pairs(tokenizer: Any, path: Path) -> TokenizerFacts:
    if tokenizer.reduction_fn is not None or len(tokenizer.all_special_ids) != 2:
        raise ValueError("a CLIP tokenizer that drops words, or has special tokens of its own, has no converted form")
    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.__getitem__)
    pieces = Tokenizer(models.BPE(dict(tokenizer.encoder), merges, end_of_word_suffix="</w>"))
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pieces.add_special_tokens([AddedToken(token, normalized=False) for token in ("<start_of_text>", "<end_of_text>")])
    pieces.save(str(path))
    return TokenizerFacts(
        kind="clip",
        clean=_CLEANERS[tokenizer.clean_fn],
        context_length=int(tokenizer.context_length),
        pad_id=0,
        start_id=int(tokenizer.sot_token_id),
        end_id=int(tokenizer.eot_token_id),
    )


def _write_library(tokenizer: Any, path: Path) -> TokenizerFacts:
    fast = tokenizer.tokenizer
    if tokenizer.tokenizer_mode or not getattr(fast, "is_fast", False) or fast.padding_side != "right":
        raise ValueError("a tokenizer that is not a fast one, fills up on the left or has a mode has no converted form")
    fast.backend_tokenizer.save(str(path))
    return TokenizerFacts(
        kind="hf",
        clean=_CLEANERS[tokenizer.clean_fn],
        context_length=int(tokenizer.context_length),
        pad_id=int(fast.pad_token_id or 0),
        start_id=-1,
        end_id=-1,
        stripped_id=int(fast.sep_token_id) if tokenizer.strip_sep_token else -1,
    )


def _check(tokenizer: Any, path: Path, facts: TokenizerFacts) -> None:
    read = ClipTokenizer(path, facts, facts.context_length)
    for wanted, ids in zip(tokenizer(PROBE_TEXTS).tolist(), read.encode(PROBE_TEXTS), strict=True):
        if wanted != ids + [facts.pad_id] * (facts.context_length - len(ids)):
            raise ValueError("the tokenizer's file gives other token ids than the tokenizer")


_WRITERS: dict[type, Callable[[Any, Path], TokenizerFacts]] = {
    SimpleTokenizer: _write_byte_pairs,
    HFTokenizer: _write_library,
}
