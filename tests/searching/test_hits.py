from __future__ import annotations

from typing import Any

import pytest

from sidecar.searching.hits import lexical_hit, source_filter, tensor_hit
from sidecar.searching.request import SearchRequest

REQUEST = SearchRequest(q="x")
TEXT = "Été 🎉 party.\r\nNext."


def chunk(field: str, start: int, end: int, score: float, content: str | None = None) -> dict[str, Any]:
    """The inner hits of one field: its best chunk."""
    path = f"__embeddings.{field}"
    values: dict[str, Any] = {f"{path}.start": [start], f"{path}.end": [end]}
    if content is not None:
        values[f"{path}.content"] = [content]
    return {"hits": {"hits": [{"_score": score, "fields": values}]}}


def hit(source: dict[str, Any], inner_hits: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"_id": "1", "_score": 0.5, "_source": source, "inner_hits": inner_hits or {}}


def test_the_highlight_is_the_best_chunk_of_all_fields() -> None:
    found = hit({"a": "One. Two.", "b": TEXT}, {"0": chunk("a", 0, 4, 0.4), "1": chunk("b", 0, 12, 0.9)})
    assert tensor_hit(found, ["a", "b"], REQUEST) == {
        "a": "One. Two.",
        "b": TEXT,
        "_id": "1",
        "_highlights": {"b": "Été 🎉 party."},
        "_score": 0.5,
    }


def test_offsets_count_characters_of_emoji_and_line_breaks() -> None:
    found = hit({"b": TEXT}, {"0": chunk("b", 14, 19, 0.9)})
    assert tensor_hit(found, ["b"], REQUEST)["_highlights"] == {"b": "Next."}


@pytest.mark.parametrize("source", [{}, {"a": 5}])
def test_a_text_that_is_not_there_has_no_highlight(source: dict[str, Any]) -> None:
    found = hit(source, {"0": chunk("a", 0, 4, 0.4)})
    assert tensor_hit(found, ["a"], REQUEST)["_highlights"] == {}


@pytest.mark.parametrize(
    ("stored", "best", "shown"),
    [
        ("http://a.b/c.png", chunk("a", 0, 16, 0.4), "http://a.b/c.png"),
        ("http://a.b/c.png", chunk("a", 0, 16, 0.4, "[0.0, 0.0, 80.5, 80.0]"), "[0.0, 0.0, 80.5, 80.0]"),
        ({"text": "Été", "image": "c.png"}, chunk("a", 0, 0, 0.4), '{"text": "\\u00c9t\\u00e9", "image": "c.png"}'),
        ("the content of a custom vector", chunk("a", 0, 30, 0.4), "the content of a custom vector"),
        ("", chunk("a", 0, 0, 0.4), ""),
    ],
)
def test_highlights_of_other_chunks_than_texts(stored: Any, best: dict[str, Any], shown: str) -> None:
    assert tensor_hit(hit({"a": stored}, {"0": best}), ["a"], REQUEST)["_highlights"] == {"a": shown}


def test_hits_without_offsets_have_no_highlight() -> None:
    inner = {"0": {"hits": {"hits": [{"_score": 1.0}]}}, "1": {"hits": {"hits": []}}}
    assert tensor_hit(hit({"a": "x"}, inner), ["a", "b"], REQUEST)["_highlights"] == {}


def test_highlights_are_left_out_on_demand() -> None:
    request = SearchRequest(q="x", show_highlights=False)
    assert "_highlights" not in tensor_hit(hit({"a": "x"}), ["a"], request)
    assert "_highlights" not in lexical_hit(hit({"a": "x"}), request)


def test_lexical_hits_have_an_empty_list_of_highlights() -> None:
    assert list(lexical_hit(hit({"a": "x"}), REQUEST).items()) == [
        ("a", "x"),
        ("_id", "1"),
        ("_score", 0.5),
        ("_highlights", []),
    ]


def test_only_the_wanted_attributes_are_shown_though_highlights_need_others() -> None:
    request = SearchRequest(q="x", attributes_to_retrieve=("n", "none"))
    assert source_filter(request, ["a"]) == {"includes": ["a", "n", "none"], "excludes": ["__embeddings*"]}
    found = hit({"a": "One.", "n": 1}, {"0": chunk("a", 0, 4, 0.4)})
    assert tensor_hit(found, ["a"], request) == {"n": 1, "_id": "1", "_highlights": {"a": "One."}, "_score": 0.5}


def test_the_source_is_not_read_where_nothing_of_it_is_wanted() -> None:
    request = SearchRequest(q="x", attributes_to_retrieve=())
    assert source_filter(request, ()) is False
    assert source_filter(request, ["a"]) == {"includes": ["a"], "excludes": ["__embeddings*"]}
    assert source_filter(REQUEST, ["a"]) == {"excludes": ["__embeddings*"]}


def test_a_hit_without_source_is_an_id_and_a_score() -> None:
    request = SearchRequest(q="x", attributes_to_retrieve=(), show_highlights=False)
    assert tensor_hit({"_id": "1", "_score": 0.5}, [], request) == {"_id": "1", "_score": 0.5}
