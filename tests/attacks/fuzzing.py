"""Runs one target of the fuzzer in a process of its own: ``python -m tests.attacks.fuzzing NAME FOLDER OPTION...``.

The options are libFuzzer's. An input that breaks a promise ends the process with its traceback, and lies in the folder.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import atheris

WATCHED = {
    "bulk": ["sidecar.native"],
    "queries": ["sidecar.native"],
    "declarations": ["sidecar.native"],
    "json_text": ["sidecar.native.json", "sidecar.opensearch.decoding"],
    "filters": ["sidecar.searching"],
    "pictures": ["sidecar.embedding.media", "PIL"],
    "request_targets": ["sidecar.native"],
    "pointers": ["sidecar.embedding.media"],
    "repetition": ["sidecar.native", "sidecar.searching", "sidecar.embedding.media"],
}
"""The targets, each with the packages whose branches lead the fuzzer on."""

_WORD = re.compile(rb'"[^"\\]{1,40}"|[A-Za-z_]{2,40}|\\.|[^\w\s]')


def words_of(seeds: Iterable[bytes]) -> list[bytes]:
    """The words and signs of the seeds that are text, for the fuzzer to put in where it likes."""
    found = {word for seed in seeds if seed[1:].isascii() for word in _WORD.findall(seed)}
    return sorted(found)


def main() -> None:
    """Fuzz."""
    name, folder, *options = sys.argv[1:]
    with atheris.instrument_imports(include=WATCHED[name], enable_loader_override=False):
        target: Any = importlib.import_module(f"tests.attacks.targets.{name}")
    corpus = Path(folder) / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.SEEDS):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    own = [f"-artifact_prefix={folder}/"]
    if known := words_of(target.SEEDS):
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in known), "ascii")
        own.append(f"-dict={words}")
    atheris.Setup([sys.argv[0], *own, *options, str(corpus)], target.check)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
