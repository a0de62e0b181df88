"""The fuzzer's seeds, and what is near them: a little of `make test-attacks`, with every change."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.test_fuzzing import TARGETS

QUICK = tuple(name for name in TARGETS if name not in {"pictures", "repetition"})
"""Those whose cases take a millisecond or so."""


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_keep_the_promises_that_the_fuzzer_tries_to_break(name: str) -> None:
    target: Any = importlib.import_module(f"tests.attacks.targets.{name}")
    for seed in target.SEEDS:
        target.check(seed)


@pytest.mark.parametrize("name", QUICK)
def test_changed_seeds_keep_them_too(name: str) -> None:
    target: Any = importlib.import_module(f"tests.attacks.targets.{name}")

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.sampled_from(target.SEEDS), st.data())
    def check(seed: bytes, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(seed)))
        removed, put_in = data.draw(st.integers(0, 8)), data.draw(st.binary(max_size=4))
        target.check(seed[:place] + put_in + seed[place + removed :])

    check()
