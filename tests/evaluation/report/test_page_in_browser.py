"""The page in a real browser: it asks for nothing, sorts, prints whole, and is usable by everyone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from sidecar.evaluation.report.page import page_of
from sidecar.evaluation.report.standing import standings
from tests.evaluation.report.made import example
from tests.fix_browser import OpenPage, accessibility_problems


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of the example lies."""
    path: Path = tmp_path_factory.mktemp("page") / "evaluation.html"
    path.write_text(page_of(example(), standings(example())), "utf-8")
    return path.as_uri()


def _column(page: Page, header: str) -> list[str]:
    """The first line of each cell below a header."""
    at = page.locator("#choices thead th").all_inner_texts().index(header) + 1
    cells = page.locator(f"#choices tbody tr > :nth-child({at})").all_inner_texts()
    return [cell.splitlines()[0] for cell in cells]


def test_a_header_sorts_its_column_the_better_first_and_then_the_other_way(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.get_by_role("button", name="p50").click()
    times = _column(page, "p50 ms")
    assert times == ["2.41", "4.50", "6.90", "9.80", "15.9", "17.2", "29.9"]
    page.get_by_role("button", name="p50").click()
    assert _column(page, "p50 ms") == times[::-1]
    assert page.locator("[aria-sort]").count() == 1


def test_what_was_not_measured_stays_at_the_end_whatever_the_order(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    for order in ("descending", "ascending"):
        page.get_by_role("button", name="HNSW").click()
        assert page.locator("[aria-sort]").get_attribute("aria-sort") == order
        assert _column(page, "HNSW recall")[-1] == "–"


def test_names_are_sorted_as_words(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.get_by_role("button", name="choice").press("Enter")
    names = page.locator("#choices .name").all_inner_texts()
    assert names == sorted(names)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_page_is_accessible(color_scheme: str, address: str, open_page: OpenPage) -> None:
    page = open_page(address, color_scheme=color_scheme)
    page.locator("summary").first.click()
    assert accessibility_problems(page) == []


def test_a_narrow_page_scrolls_its_table_and_not_itself(address: str, open_page: OpenPage) -> None:
    page = open_page(address, viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.querySelector('.scroll').scrollWidth") > 360


def test_print_shows_the_queries_of_every_choice(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("details[open] .sides:visible").count() == 6


def test_paper_is_white_in_dark_mode_too_and_has_room_for_the_table(address: str, open_page: OpenPage) -> None:
    page = open_page(address, color_scheme="dark", viewport={"width": 703, "height": 1000})  # A4 less the margins
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(23, 33, 46)"
    assert page.evaluate("document.documentElement.scrollWidth") == 703
