"""The search page: texts, the hits, filters, methods side by side, pages, and the request behind them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.fix_browser import OpenPage
from tests.playground.conftest import DOCUMENTS, PICTURES, TEXTS

CHUNK = "It is good for one hour. Or ask again."
BODY = DOCUMENTS[1]["body"]
START = BODY.index(CHUNK)
LATE_VALUES = "**/fields/topic/values?*contains=BILL*"
SEARCH = re.compile(r"/indexes/[^/]+/(search|recommend)$")


@pytest.fixture
def page(open_page: OpenPage, site: str, texts: str) -> Page:
    return open_page(f"{site}/ui#/{texts}/search", permissions=["clipboard-read", "clipboard-write"])


def search(page: Page, text: str) -> None:
    page.get_by_label("Search for", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"\d hits? in|side by side$"))).to_be_visible()


def options(page: Page) -> Locator:
    """What the filter's field suggests."""
    return page.get_by_role("listbox").get_by_role("option")


def titles(page: Page) -> list[str]:
    return page.locator(".hit h3").all_text_contents()


def bodies_of(page: Page) -> list[dict[str, Any]]:
    """The bodies of the searches that the page sends from now on."""
    sent: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if SEARCH.search(request.url):
            sent.append(request.post_data_json)

    page.on("request", note)
    return sent


def test_text_finds_documents_and_the_chunk_that_won_is_marked(page: Page) -> None:
    search(page, CHUNK)
    first = page.locator(".hit").first
    expect(first.locator("h3")).to_have_text("Reset your password")
    expect(first.locator(".excerpt mark")).to_have_text(CHUNK)
    expect(first.locator(".evidence")).to_contain_text(
        f"body characters {START + 1}–{START + len(CHUNK)} of {len(BODY)}"
    )
    expect(first.locator(".score")).to_contain_text("1.0000")


def test_search_by_words_marks_the_words(page: Page) -> None:
    page.get_by_role("radio", name="Words").check()
    search(page, "invoice")
    expect(page.locator(".hit")).to_have_count(1)
    assert page.locator(".hit mark").all_text_contents() == ["invoice", "invoice"]


def test_texts_of_documents_are_never_markup(page: Page) -> None:
    page.get_by_role("radio", name="Words").check()
    search(page, "nobody")
    expect(page.locator(".excerpt")).to_contain_text("<b>Nobody</b>")
    expect(page.locator(".hit b")).to_have_count(0)


def test_keys_lead_through_the_page(page: Page) -> None:
    search(page, CHUNK)
    page.locator("h3").first.click()
    page.keyboard.press("/")
    expect(page.get_by_label("Search for", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".hit").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    second = page.locator(".hit").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(second.get_by_role("button", name="All fields")).to_have_attribute("aria-expanded", "true")
    expect(second.locator(".all-fields")).to_contain_text("_id")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search for", exact=True)).to_be_focused()


def test_filter_is_completed_by_keyboard_alone(page: Page) -> None:
    sent = bodies_of(page)
    box = page.get_by_role("combobox", name="Filter")
    box.focus()
    page.keyboard.type("top")
    expect(options(page)).to_have_text(["topictext"])
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(box).to_have_value("topic:")
    page.keyboard.type("BILL")
    expect(options(page)).to_have_text(["money & bills1 documents"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value('topic:"money & bills" ')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(1)
    assert titles(page) == ["Get an invoice"]
    assert sent == [{"q": "", "limit": 10, "filter": 'topic:"money & bills"'}]


def written_ahead_of_its_list(page: Page) -> tuple[Locator, list[Route]]:
    """The filter's field, where a value has a letter more than its list knows of; and the request for the newer list,
    which waits until the test lets it go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(LATE_VALUES, hold)
    box = page.get_by_role("combobox", name="Filter")
    box.focus()
    page.keyboard.type("topic:BIL")
    expect(options(page)).to_have_text(["money & bills1 documents"])
    with page.expect_request(LATE_VALUES):
        page.keyboard.type("L")
    return box, held


def test_filter_takes_a_value_whose_list_is_older_than_what_is_written(page: Page) -> None:
    box, held = written_ahead_of_its_list(page)
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(box).to_have_value('topic:"money & bills" ')
    with page.expect_response(LATE_VALUES):
        held[0].continue_()
    expect(box).to_have_value('topic:"money & bills" ')


def test_filter_keeps_the_choice_in_a_list_that_comes_late(page: Page) -> None:
    box, held = written_ahead_of_its_list(page)
    page.keyboard.press("ArrowDown")
    with page.expect_response(LATE_VALUES):
        held[0].continue_()
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(box).to_have_value('topic:"money & bills" ')
    # What is written chooses nothing by itself.
    page.keyboard.press("Backspace")
    expect(page.locator('[role="option"][aria-selected="true"]')).to_have_count(0)


def test_filter_offers_words_after_a_term_and_the_range_of_numbers(page: Page) -> None:
    box = page.get_by_role("combobox", name="Filter")
    box.focus()
    page.keyboard.type("topic:account ")
    expect(options(page).first).to_have_text("AND")
    page.keyboard.type("AND minutes:")
    expect(options(page).first).to_have_text("2 to 21all there are")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(box).to_have_value("topic:account AND minutes:[2 TO 21] ")


def test_fact_of_a_hit_narrows_the_filter(page: Page) -> None:
    search(page, CHUNK)
    page.locator(".hit").first.get_by_role("button", name="topic account").click()
    expect(page.locator(".hit")).to_have_count(2)
    expect(page.get_by_role("combobox", name="Filter")).to_have_value("topic:account")


def test_methods_stand_side_by_side_with_each_others_ranks(page: Page) -> None:
    page.get_by_role("radio", name="Side by side").check()
    search(page, "Reset your password")
    assert page.locator(".column h2").all_text_contents() == ["Words", "Meaning", "Both"]
    for column in page.locator(".column").all():
        expect(column.locator("h3").first).to_have_text("Reset your password")
    expect(page.locator(".column").first.locator(".ranks").first).to_have_text("meaning #1 · both #1")


def test_share_of_meaning_goes_into_the_request(page: Page) -> None:
    page.get_by_role("radio", name="Both").check()
    search(page, "password")
    sent = bodies_of(page)
    with page.expect_request(SEARCH):
        page.get_by_label(re.compile("alpha")).press("End")
    assert sent[-1]["hybridParameters"] == {"alpha": 1}
    assert sent[-1]["searchMethod"] == "HYBRID"


def test_parts_of_a_mixture_have_weights(page: Page) -> None:
    search(page, "Get an invoice")
    sent = bodies_of(page)
    page.get_by_role("button", name="Mix").click()
    page.keyboard.type("Reset your password")
    with page.expect_request(SEARCH):
        page.get_by_label("Weight of Reset your password").press("End")
    expect(page.locator(".hit h3").first).to_have_text("Reset your password")
    assert sent[-1]["q"] == {"Get an invoice": 1, "Reset your password": 2}
    with page.expect_request(SEARCH):
        page.get_by_label("Weight of Reset your password").press("Home")
    expect(page.locator(".hit h3").first).to_have_text("Get an invoice")
    expect(page.get_by_role("radio", name="Words")).to_be_disabled()


def test_more_like_this_asks_for_the_documents_like(page: Page) -> None:
    search(page, CHUNK)
    sent = bodies_of(page)
    page.get_by_role("button", name="More like Reset your password").click()
    expect(page.locator(".chip")).to_have_text("Like: Reset your password")
    expect(page.locator(".hit").first).to_be_focused()
    assert "Reset your password" not in titles(page)
    assert sent == [{"documents": ["sign-in"], "limit": 10}]


def test_pages_lead_on_and_back(page: Page) -> None:
    search(page, "question")
    first = titles(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(5)
    assert {*first, *titles(page)} == {document["title"] for document in DOCUMENTS}
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="Previous").click()
    expect(page.locator(".hit")).to_have_count(10)
    assert titles(page) == first


def test_address_brings_the_search_back(page: Page) -> None:
    page.get_by_role("radio", name="Words").check()
    search(page, "x^99 invoice")
    page.reload()
    expect(page.locator(".hit h3")).to_have_text(["Get an invoice"])
    expect(page.get_by_label("Search for", exact=True)).to_have_value("x^99 invoice")


def test_refusal_is_told_in_place_and_in_words(page: Page) -> None:
    page.get_by_role("combobox", name="Filter").fill("topic:((")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("filter")
    expect(page.get_by_role("alert")).to_contain_text("(invalid_argument)")


def test_missing_index_is_told(open_page: OpenPage, site: str) -> None:
    page = open_page(f"{site}/ui#/no-such-index/search")
    expect(page.get_by_role("alert")).to_contain_text("no-such-index")


def copied(page: Page, language: str) -> str:
    """What the page's copy button gives for that language."""
    page.locator(".request summary").click()
    page.get_by_role("button", name=language, exact=True).click()
    page.get_by_role("button", name=f"Copy the request as {language}").click()
    expect(page.get_by_role("button", name=f"Copy the request as {language}")).to_have_text("Copied")
    found: str = page.evaluate("navigator.clipboard.readText()")
    return found


QUOTES = 'It\'s sent by "mail" \\ $HOME `id`\n– é'
"""What a shell or Python could misread."""


def test_curl_command_works_as_it_is_copied(page: Page) -> None:
    search(page, QUOTES.replace("\n", " "))
    command = copied(page, "curl")
    assert shutil.which("curl") and command.startswith("curl -s ")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    answer = json.loads(done.stdout)
    assert answer["query"] == QUOTES.replace("\n", " ")
    assert [hit["title"] for hit in answer["hits"]] == titles(page)


def test_python_program_works_as_it_is_copied(page: Page, tmp_path: Path) -> None:
    page.get_by_role("radio", name="Both").check()
    search(page, 'It\'s sent by "mail" \\ $HOME')
    program = tmp_path / "program.py"
    program.write_text(copied(page, "Python"), "utf-8")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=60)
    ids = [document["_id"] for title in titles(page) for document in DOCUMENTS if document["title"] == title]
    assert [line.split()[1] for line in done.stdout.splitlines()] == ids


def test_names_are_those_of_the_indexes(page: Page, pictures: str) -> None:
    page.get_by_role("link", name="Playground").click()
    expect(page.get_by_role("heading", name="Indexes")).to_be_visible()
    expect(page.get_by_role("link", name=TEXTS)).to_be_visible()
    expect(page.locator(".card", has_text=PICTURES)).to_contain_text("8 documents · 8 vectors")
    page.get_by_role("link", name=PICTURES).click()
    expect(page.get_by_role("heading", name=f"Search {PICTURES}")).to_be_attached()
