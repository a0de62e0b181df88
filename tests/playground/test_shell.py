"""The playground's shell: the key, the theme, narrow screens, and what makes it usable for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fix_browser import OpenPage, accessibility_problems
from tests.playground.conftest import KEY
from tests.served_app import served

PAGES = ["#/", "#/{texts}/search?q=account", "#/{texts}/search?q=mail&method=COMPARE", "#/{pictures}/search?q=cat"]
SCHEMES = ["light", "dark", "light", "dark"]
NARROW = {"width": 320, "height": 700}


@pytest.fixture
def names(texts: str, pictures: str) -> dict[str, str]:
    return {"texts": texts, "pictures": pictures}


@pytest.fixture(scope="module")
def locked(node: str, texts: str) -> Iterator[str]:
    """The URL of a sidecar in front of the same cluster that asks for a key."""
    with served(opensearch_url=node, api_keys=[KEY]) as url:
        yield url


def settle(page: Page) -> None:
    """Wait until the page has shown what its address asks for."""
    expect(page.locator(".hit, .cards").first).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0)


@pytest.mark.parametrize(("address", "scheme"), [*zip(PAGES, SCHEMES, strict=True), (PAGES[1], "light")])
def test_page_has_no_accessibility_problem(
    open_page: OpenPage, site: str, names: dict[str, str], address: str, scheme: str
) -> None:
    page = open_page(f"{site}/ui{address.format(**names)}", color_scheme=scheme)
    settle(page)
    assert accessibility_problems(page) == []


def test_opened_parts_have_no_accessibility_problem(open_page: OpenPage, site: str, texts: str) -> None:
    page = open_page(f"{site}/ui#/{texts}/search?q=account&q=mail^0.5")
    settle(page)
    page.get_by_role("button", name="All fields").first.click()
    page.get_by_text("More options").click()
    page.get_by_text("The request as").click()
    page.get_by_role("combobox", name="Filter").fill("t")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert accessibility_problems(page) == []


def test_narrow_screen_never_scrolls_sideways(open_page: OpenPage, site: str, names: dict[str, str]) -> None:
    page = open_page(f"{site}/ui", viewport=NARROW)
    for address in PAGES:
        page.goto(f"{site}/ui{address.format(**names)}")
        settle(page)
        for opened in page.get_by_text(re.compile("More options|The request as")).all():
            opened.click()
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], address


def ground(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return found


def test_theme_is_the_systems_until_the_reader_chooses(open_page: OpenPage, site: str) -> None:
    page = open_page(f"{site}/ui", color_scheme="dark")
    dark = ground(page)
    page.emulate_media(color_scheme="light")
    light = ground(page)
    assert dark != light
    page.get_by_role("button", name="Use the dark theme").click()
    assert ground(page) == dark
    page.reload()
    assert ground(page) == dark
    expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()


def test_content_can_be_skipped_to(open_page: OpenPage, site: str, texts: str) -> None:
    page = open_page(f"{site}/ui")
    expect(page.get_by_role("link", name=texts)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page.get_by_role("link", name=texts)).to_be_visible()


def test_counts_of_results_are_read_out(open_page: OpenPage, site: str, texts: str) -> None:
    page = open_page(f"{site}/ui#/{texts}/search?q=invoice&method=LEXICAL")
    expect(page.get_by_role("status").filter(has_text="1 hit in")).to_be_visible()


def give_key(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")


def test_key_is_asked_for_and_kept_until_the_tab_is_closed(open_page: OpenPage, locked: str, texts: str) -> None:
    page = open_page(f"{locked}/ui")
    expect(page.get_by_role("dialog", name="API key")).to_be_visible()
    assert accessibility_problems(page) == []
    give_key(page, "wrong")
    expect(page.get_by_role("dialog")).to_contain_text("API key")
    give_key(page, KEY)
    expect(page.locator(".card", has_text=texts)).to_contain_text("documents")
    page.reload()
    expect(page.locator(".card", has_text=texts)).to_contain_text("documents")
    kept = "[sessionStorage.getItem('sidecar-api-key'), Object.keys(localStorage).length]"
    assert page.evaluate(kept) == [KEY, 0]


def test_reader_without_a_key_is_told(open_page: OpenPage, locked: str) -> None:
    page = open_page(f"{locked}/ui")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("no valid API key")


def test_shown_request_reads_the_key_from_the_environment(open_page: OpenPage, locked: str, texts: str) -> None:
    page = open_page(f"{locked}/ui#/{texts}/search?q=invoice&method=LEXICAL")
    give_key(page, KEY)
    expect(page.locator(".hit")).to_have_count(1)
    page.get_by_text("The request as").click()
    shown: Any = page.locator(".request-code pre").text_content()
    assert '-H "x-api-key: $API_KEY"' in shown
    assert KEY not in shown
