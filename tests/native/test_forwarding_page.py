"""The examples of the page on forwarding answer what is printed below them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.test_readme import BLOCK, read_curl

PAGE = (Path(__file__).parents[2] / "docs" / "native-forwarding.md").read_text("utf-8")
PRINTED_URL = "http://localhost:9201"


@pytest.fixture
def price_list(node: str) -> Iterator[None]:
    """The index of the examples, gone before and after."""
    request(node, "DELETE", "/price-list?ignore_unavailable=true")
    yield
    request(node, "DELETE", "/price-list?ignore_unavailable=true")


@pytest.mark.usefixtures("price_list")
def test_examples_answer_what_is_printed(sidecar: Sidecar) -> None:
    examples = [(command, json.loads(printed)) for command, printed in BLOCK.findall(PAGE) if printed]
    assert examples
    for command, printed in examples:
        given = read_curl(command)
        headers = dict(header.split(": ", 1) for header in given.header)
        url = given.url.replace(PRINTED_URL, sidecar.native_url)
        answered = requests.request(given.method or "GET", url, data=given.data, headers=headers, timeout=60)
        assert answered.json() == printed
