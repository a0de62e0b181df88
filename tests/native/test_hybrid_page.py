"""The page of hybrid queries: its requests, one after the other, give the answers that stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import Sidecar

PAGE = (Path(__file__).parent.parent.parent / "docs" / "native-hybrid.md").read_text("utf-8")
REQUEST = r"^```http\n(\w+) (\S+)\n(.*?)^```\n(?:```json\n(.*?)^```)?"
EXCHANGES = re.findall(REQUEST, PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def page(node: str) -> Iterator[None]:
    """Takes away what the page makes."""
    yield
    request(node, "DELETE", "/reading")
    for pipeline in ("meaning-first", "ranks"):
        request(node, "DELETE", f"/_search/pipeline/{pipeline}")


@pytest.mark.usefixtures("page")
def test_requests_give_the_answers_that_are_shown(sidecar: Sidecar) -> None:
    shown = 0
    for method, path, body, expected in EXCHANGES:
        json_type = {"Content-Type": "application/json"}
        answer = requests.request(method, sidecar.native_url + path, data=body, headers=json_type, timeout=120)
        assert answer.status_code == 200, (path, answer.text)
        if expected:
            _assert_holds(answer.json(), json.loads(expected))
            shown += 1
    assert shown == 5


def _assert_holds(found: Any, expected: Any) -> None:
    """All that is shown is there, and lists are as long; scores are near, for models differ a little by machine."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            _assert_holds(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _assert_holds(one, other)
    else:
        assert found == (pytest.approx(expected, abs=0.01) if isinstance(expected, float) else expected)


def test_the_page_tells_of_what_is_refused() -> None:
    for name in ("sort", "search_after", "scroll", "collapse", "rescore", "explain"):
        assert f"`{name}`" in PAGE
