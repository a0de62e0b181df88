"""The site of the documents: it builds without a warning, asks no other host, and every link in it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.blocks import ROOT, pages

_LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}


@dataclass
class Seen:
    """What a page links to, what its reader's browser fetches for it, and the places in it that links may lead to."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.seen.places.add(given.get("id", ""))
        self.seen.classes.update(given.get("class", "").split())
        if tag == "a" and "href" in given:
            self.seen.links.append(given["href"])
        if given.get(_LOADS.get(tag, ""), "") and given.get("rel") not in {"canonical", "next", "prev", "edit"}:
            self.seen.loaded.append(given[_LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def seen(site: Path) -> dict[Path, Seen]:
    """Every page of the site."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        reading = _Reading()
        reading.feed(path.read_text("utf-8"))
        found[path] = reading.seen
    return found


def test_every_document_is_a_page(seen: dict[Path, Seen], site: Path) -> None:
    made = {path.relative_to(site).as_posix() for path in seen}
    assert {page.removeprefix("docs/").replace("README", "readme").replace(".md", ".html") for page in pages()} <= made


def test_every_link_leads_somewhere(seen: dict[Path, Seen], site: Path) -> None:
    lost = []
    for page, content in seen.items():
        # The page for what is not found has links from the site's root, wherever that is.
        for link in content.links if page.name != "404.html" else ():
            parts = urlsplit(link)
            if parts.scheme or link in {"#", "."}:
                continue
            target = page.parent.joinpath(unquote(parts.path)).resolve() if parts.path else page
            place = unquote(parts.fragment)
            if not target.exists() or (place and target in seen and place not in seen[target].places):
                lost.append(f"{page.relative_to(site)}: {link}")
    assert lost == []


def test_pages_fetch_nothing_from_elsewhere(seen: dict[Path, Seen], site: Path) -> None:
    assert {link for content in seen.values() for link in content.loaded if urlsplit(link).netloc} == set()
    for style in site.rglob("*.css"):
        assert _outside(style.read_text("utf-8")) == []
    # Scripts of the theme fetch a drawing program and a repository's facts for these.
    assert not any(content.classes & {"mermaid", "md-source"} for content in seen.values())


def _outside(style: str) -> list[str]:
    return re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)]*", style)


def test_no_comment_for_the_tests_is_shown(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not re.search(r"not run:|stand-in:", path.read_text("utf-8")), path


def test_search_finds_words_of_the_pages(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text("utf-8")
    assert "readme.html" in index and "SIDECAR_MEDIA_ROOTS" in index


def test_a_style_that_asks_elsewhere_is_found() -> None:
    assert _outside("a {background: url(https://example.org/a.png)}")
    assert not _outside("a {background: url('a.png')}")
