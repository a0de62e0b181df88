"""The page on writing: its examples, in its order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.native.writes.written import MODEL, VECTOR, Port, make_index

PAGE = Path(__file__).parents[3] / "docs" / "native-writing.md"


def test_examples_do_what_the_page_says(native: Port, direct: Port, index_name: str) -> None:
    text = PAGE.read_text(encoding="utf-8").replace("/articles", f"/{index_name}")
    text = text.replace("sentence-transformers/all-MiniLM-L6-v2", MODEL)
    create, *writes = re.findall(r"```http\n(\w+) (\S+)\n(.*?)```", text, re.DOTALL)
    assert create[:2] == ("PUT", f"/{index_name}")
    make_index(direct, index_name, {"body_vector": {"source": "body", "model": MODEL}}, {"body_vector": VECTOR})
    answers: list[Any] = [native.done(method, path, body) for method, path, body in writes]
    assert [answer.get("errors", answer.get("result")) for answer in answers] == [False, "noop", True]
    assert [item["index"]["status"] for item in answers[2]["items"]] == [400, 201]
    for document_id in "124":
        assert len(direct.source(index_name, document_id)["body_vector"]) == VECTOR["dimension"]
