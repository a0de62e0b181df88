"""What SECURITY.md says is done, a test shows; what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from sidecar.api.keys import FREE_PATHS
from sidecar.config import Settings, environment_name

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
SETTINGS = {environment_name(field) for field in Settings.model_fields}


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(?:tests/)?([\w/]*test_\w+\.py)`", PAGE))
    assert len(named) > 15
    there = [path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    missing = {name for name in named if not any(path == name or path.endswith(f"/{name}") for path in there)}
    assert missing == set()


def test_every_threat_names_a_test() -> None:
    rows = [row for row in PAGE.partition("| Threat |")[2].partition("\n\n")[0].splitlines()[2:] if row]
    assert len(rows) > 10
    assert [row for row in rows if "test_" not in row] == []


def test_every_setting_that_is_named_is_one() -> None:
    assert set(re.findall(r"\bSIDECAR_\w+", PAGE)) <= SETTINGS


def test_paths_that_need_no_key_are_told() -> None:
    told = PAGE.partition("| Anybody on the network |")[2].partition("\n")[0]
    assert {path for path in FREE_PATHS if f"`{path}`" not in told} == set()


def test_links_lead_to_files_that_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / target).is_file()
    assert "../SECURITY.md" in (ROOT / "docs" / "operations.md").read_text("utf-8")
