"""The pages, read from the first block to the last: each does and prints what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, Use, blocks_of, pages
from tests.docs.command_server import commands_run
from tests.docs.reading import Places, Reader
from tests.docs.registry import OWN_TESTS, kind_of
from tests.fix_server import Sidecar


def blocks_to_run(page: str) -> list[Block]:
    """The blocks of a page that no other test runs."""
    return [block for block in blocks_of(page) if kind_of(block) not in OWN_TESTS.get(page, {})]


PAGES = [page for page in pages() if any(block.use in {Use.COMMAND, Use.BODY} for block in blocks_to_run(page))]


@pytest.fixture(scope="module")
def places(node: str, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """One sidecar for all pages."""
    home = tmp_path_factory.mktemp("home")
    models_folder.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models_folder)
    media = tmp_path_factory.getbasetemp()
    settings = {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(home), "SIDECAR_MEDIA_ROOTS": json.dumps([str(media)])}
    with Sidecar(settings) as server, commands_run(home / "commands") as commands:
        yield Places(server.url, server.native_url, node, home, commands)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("nothing_left")
def test_page_does_and_prints_what_it_says(page: str, places: Places, tmp_path: Path) -> None:
    with Reader(tmp_path, places) as reader:
        for block in blocks_to_run(page):
            faults = reader.faults(block)
            assert not faults, "\n".join([f"{block.place}:", *faults])
