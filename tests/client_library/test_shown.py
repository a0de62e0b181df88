"""How hits look in a notebook, and what they are short."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.client import Hit
from sidecar.client.hits import Hits

TAGS = {"table", "thead", "tbody", "tr", "th", "td", "a", "br"}


class _Reader(HTMLParser):
    """Collects tags, addresses and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def hits(*found: Hit) -> Hits:
    return Hits(found, "q", 10, 0, 1.0, "id")


@given(text=st.text(max_size=40))
def test_text_of_documents_never_becomes_markup(text: str) -> None:
    dirty = f"<img src=x onerror=alert(1)>\"'{text}"
    page = hits(Hit(dirty, 1.0, {dirty: dirty, "list": [dirty]}, {dirty: [dirty]}))._repr_html_()
    read = _Reader(page)
    assert set(read.tags) <= TAGS - {"a"}
    assert dirty[:28] in read.text


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "see http://example.org",
        "//example.org/x.png",
    ],
)
def test_only_whole_web_addresses_are_links(value: str) -> None:
    assert _Reader(hits(Hit("a", 1.0, {"v": value}))._repr_html_()).links == []


def test_pictures_are_links_and_are_not_fetched() -> None:
    address = 'https://example.org/cat.png?a=1&b="x"'
    read = _Reader(hits(Hit("a", 1.0, {"picture": address}))._repr_html_())
    assert read.links == [address]
    assert "img" not in read.tags
    long = "data:image/png;base64," + "A" * 100_000
    assert len(hits(Hit("a", 1.0, {"picture": long}))._repr_html_()) < 1000


def test_rows_have_the_fields_of_all() -> None:
    read = _Reader(hits(Hit("a", 0.5, {"x": 1}, {"x": "one"}), Hit("b", None, {"y": True}))._repr_html_())
    assert read.tags.count("tr") == 3
    assert read.tags.count("td") == 10
    assert read.text == "_id_scorexy_highlightsa0.50001x: onebTrue"
    assert Hit("a", 0.5, {"x": 1})._repr_html_() == hits(Hit("a", 0.5, {"x": 1}))._repr_html_()


def test_what_is_printed_is_short() -> None:
    hit = Hit("a", 0.5, {"title": "T" * 1000, "pages": 3, "other": 1})
    assert len(repr(hit)) < 300
    assert repr(hit).startswith("Hit('a', score=0.5000, title='TTT")
    assert repr(hit).endswith("…', pages=3, …)")
    assert repr(Hit("b", None, {})) == "Hit('b')"
    assert repr(hits()) == "Hits(0 of 'q')"
    many = Hits((hit, hit), "Q" * 1000, 10, 0, 1.0, "id")
    assert len(repr(many)) < 600
    assert repr(many).startswith("Hits(2 of 'QQQ")


def test_hits_are_a_sequence() -> None:
    a, b = Hit("a", 1.0, {}), Hit("b", 0.5, {})
    found = hits(a, b)
    assert (len(found), found[0], found[-1], found[:1], list(found), b in found) == (2, a, b, (a,), [a, b], True)
    assert not hits()
