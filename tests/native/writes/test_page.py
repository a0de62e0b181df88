"""The page on writing: its examples, in its order."""

from __future__ import annotations

import re
from pathlib import Path

from tests.native.writes.written import DIMENSIONS, MODEL, Port

PAGE = Path(__file__).parents[3] / "docs" / "native-writing.md"


def test_examples_do_what_the_page_says(native: Port, direct: Port, index_name: str) -> None:
    text = PAGE.read_text(encoding="utf-8").replace("/articles", f"/{index_name}")
    text = text.replace("sentence-transformers/all-MiniLM-L6-v2", MODEL)
    examples = re.findall(r"```http\n(\w+) (\S+)\n(.*?)```", text, re.DOTALL)
    made, *answers = [native.done(method, path, body) for method, path, body in examples]
    assert made["index"] == index_name
    assert [answer.get("errors", answer.get("result")) for answer in answers] == [False, "noop", True]
    assert [item["index"]["status"] for item in answers[2]["items"]] == [400, 201]
    for document_id in "124":
        assert len(direct.source(index_name, document_id)["body_vector"]) == DIMENSIONS
