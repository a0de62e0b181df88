"""No block of a document escapes: a test runs it, or the line above says why none does."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest
import yaml

from tests.docs.blocks import ROOT, Block, Use, blocks_of, pages
from tests.docs.command_lines import calls_in, wrong_with
from tests.docs.reading import READERS
from tests.docs.registry import OWN_TESTS, kind_of


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run_or_says_why_not(page: str) -> None:
    own = OWN_TESTS.get(page, {})
    left = [
        f"{block.place}: a block of {block.language or 'no language'} that no test runs"
        for block in blocks_of(page)
        if block.use not in {Use.NOT_RUN, Use.DRAWING} and not _is_run(block, own)
    ]
    assert left == []


def _is_run(block: Block, own: dict[str, str]) -> bool:
    return kind_of(block) in own or block.use is not Use.UNKNOWN


@pytest.mark.parametrize("page", pages())
def test_blocks_that_are_not_run_are_well_formed_all_the_same(page: str) -> None:
    for block in blocks_of(page):
        fault = fault_of_form(block.language, block.text, has_real_commands=block.use is Use.NOT_RUN)
        assert fault is None, f"{block.place}: {fault}"
        if block.use is Use.DRAWING:
            assert not re.search(r"^(?:curl|sidecar|pip|python|docker|make) ", block.text, re.MULTILINE), block.place


def fault_of_form(language: str, text: str, *, has_real_commands: bool) -> str | None:
    """What would keep a text in that language from being read at all, or its commands of the sidecar, where it
    ``has_real_commands`` of which none is wrong on purpose; ``None`` where nothing would."""
    if language in {"sh", "bash"}:
        done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
        faults = [done.stderr, *map(wrong_with, calls_in(text) if has_real_commands else ())]
        return next((fault for fault in faults if fault), None)
    try:
        READERS.get(language, str)(text)
    except (ValueError, SyntaxError, yaml.YAMLError) as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "for x in 1; do"),
        ("sh", "sidecar ingest a.jsonl --indx a"),
        ("sh", "zcat a.gz | sidecar ingets -"),
        ("python", "a ="),
        ("json", "{'a': 1}"),
        ("yaml", "a: [1"),
    ],
)
def test_bad_form_is_found(language: str, text: str) -> None:
    assert fault_of_form(language, text, has_real_commands=True)


@pytest.mark.parametrize("page", OWN_TESTS)
def test_own_test_of_a_page_reads_it(page: str) -> None:
    assert page in pages()
    for test in set(OWN_TESTS[page].values()):
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert not name or name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, test


def test_no_fence_is_overlooked() -> None:
    for page in pages():
        text = re.sub(r"<!--.*?-->", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
        shown = [block for block in blocks_of(page) if not _is_hidden(page, block.place)]
        assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(shown), page


def _is_hidden(page: str, place: str) -> bool:
    line = int(place.rpartition(":")[2])
    return (ROOT / page).read_text("utf-8").splitlines()[line - 1].startswith("<!--")
