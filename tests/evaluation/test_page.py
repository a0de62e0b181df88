"""The page on evaluating tells of every option and of every key of a plan; `tests.docs` runs its examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.cli.evaluate_options import Asked
from sidecar.evaluation.plan_file import CHOICE_KEYS, PLAN_KEYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluating.md").read_text("utf-8")


@pytest.mark.parametrize("option", [name.replace("_", "-") for name in Asked.__annotations__])
def test_every_option_is_told(option: str) -> None:
    assert option == "data" or f"--{option}" in PAGE


@pytest.mark.parametrize("key", [*CHOICE_KEYS, *PLAN_KEYS])
def test_every_key_of_a_plan_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE or f"\n{key}:" in PAGE
