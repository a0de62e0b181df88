"""What docs/ingest-sources.md says holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sidecar.ingest.shaping.job_file import read_job_file
from sidecar.ingest.shaping.job_schema import known_keys, known_source_keys
from sidecar.ingest.shaping.types import CONVERSIONS
from sidecar.ingest.sources.captions import NAME_COLUMNS
from sidecar.ingest.sources.formats import COMPRESSIONS, FORMATS
from sidecar.ingest.sources.options import Format
from tests.ingest.sources.reading import records

PAGE = (Path(__file__).parents[3] / "docs" / "ingest-sources.md").read_text()


def block(language: str) -> str:
    """The page's only block of that language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_table_has_every_format_and_its_files() -> None:
    table = PAGE.partition("`SOURCE` is a file")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", table, re.MULTILINE))
    assert {name: tuple(re.findall(r"`(\S+)`", files)) for name, files in rows.items()} == {
        **{format.value: known.suffixes for format, known in FORMATS.items()},
        Format.INDEX.value: (),
    }
    for suffix in COMPRESSIONS:
        assert f"`{suffix}`" in PAGE
    for column in (*NAME_COLUMNS, *CONVERSIONS):
        assert f"`{column}`" in PAGE


def test_the_job_file_makes_the_document_that_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books.csv").write_text(block("text"))
    (tmp_path / "job.yaml").write_text(block("yaml"))
    job = read_job_file(tmp_path / "job.yaml")
    [record] = records(job.source().location)
    assert job.shape().document(record) == json.loads(block("json"))


def test_the_job_file_names_every_key() -> None:
    text = block("yaml")
    for key in (*known_keys(), *known_source_keys()):
        assert re.search(rf"\b{key}\b", text), key
