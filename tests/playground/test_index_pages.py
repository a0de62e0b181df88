"""The playground's pages about an index, its map, a new index and its end, in a real browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fix_browser import OpenPage, accessibility_problems
from tests.fix_server import Sidecar

TOPICS = ("animals", "cooking", "music")
DOCUMENTS: list[dict[str, Any]] = [
    {
        "_id": f"d{number}",
        "title": f"First {number} 🙂. Second {number}.",
        "topic": TOPICS[number % 3],
        "year": 1980 + number,
    }
    for number in range(30)
]
del DOCUMENTS[0]["topic"]
SPREAD = """dots => {
  const lefts = dots.map((dot) => dot.cx.baseVal.value);
  return Math.max(...lefts) - Math.min(...lefts);
}"""
"""How far the dots lie apart, in pixels."""


@pytest.fixture(scope="module")
def filled(sidecar: Sidecar) -> Iterator[str]:
    """An index of the documents above, two chunks each, with an alias."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    defaults = {"model": "random/small", "text_preprocessing": {"split_length": 1}}
    assert sidecar.post(f"/indexes/{name}", {"index_defaults": defaults, "number_of_shards": 1}).status_code == 200
    assert sidecar.request("PUT", f"/indexes/{name}/aliases/{name}-alias").status_code == 200
    assert sidecar.add(name, DOCUMENTS)["errors"] is False
    yield name
    sidecar.delete(f"/indexes/{name}")


def address(sidecar: Sidecar, place: str) -> str:
    return f"{sidecar.url}/ui#/{place}"


def open_map(open_page: OpenPage, sidecar: Sidecar, index: str, query: str = "", **options: Any) -> Page:
    page = open_page(address(sidecar, f"{index}/map{query}"), **options)
    expect(page.locator("circle.dot").first).to_be_attached()
    return page


def place_of(page: Page, dot: int) -> tuple[float, float]:
    """Where a dot is in the window."""
    box = page.locator("circle.dot").nth(dot).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# About


def test_about_page_tells_counts_storage_aliases_and_models(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_page(address(sidecar, f"{filled}/about"))
    facts = page.locator(".fact")
    expect(facts.filter(has_text="Documents")).to_contain_text("30")
    expect(facts.filter(has_text="Chunks")).to_contain_text("60")
    expect(facts.filter(has_text="On disk")).to_contain_text(re.compile(r"\d+(\.\d)? kB"))
    expect(facts.filter(has_text="Aliases")).to_contain_text(f"{filled}-alias")
    row = page.get_by_role("row", name=re.compile("title"))
    expect(row).to_contain_text(re.compile(r"title\s*text\s*random/small\s*32\s*30\s*60"))
    expect(page.locator(".pill")).to_contain_text("green")
    expect(page.locator(".settings")).to_contain_text("at each sentence")
    page.get_by_text("Settings as JSON").click()
    expect(page.locator("details pre")).to_contain_text('"split_length": 1')
    page.get_by_role("link", name="Map of title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Map of {filled}")


def test_about_page_of_an_alias_names_its_index(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_page(address(sidecar, f"{filled}-alias/about"))
    expect(page.get_by_text(f"An alias of {filled}.")).to_be_visible()


# Making and deleting


def test_an_index_is_made_as_the_form_says_and_deleted_by_its_name(open_page: OpenPage, sidecar: Sidecar) -> None:
    name = f"test-{uuid.uuid4().hex[:12]}"
    page = open_page(address(sidecar, ""))
    page.get_by_role("link", name="New index").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Model", exact=True).fill("random/small")
    page.get_by_label("every").fill("5")
    page.get_by_text("More settings").click()
    page.get_by_label("Stored in").select_option("byte")
    page.get_by_label("Shards").fill("1")
    wanted = {
        "index_defaults": {
            "model": "random/small",
            "text_preprocessing": {"split_length": 5},
            "ann_parameters": {"data_type": "byte"},
        },
        "number_of_shards": 1,
    }
    assert page.evaluate("JSON.parse(document.querySelector('pre').textContent)") == wanted
    page.get_by_role("button", name="Make the index").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Add documents to {name}")
    settings = sidecar.get(f"/indexes/{name}/settings").json()
    assert settings["index_defaults"]["text_preprocessing"]["split_length"] == 5
    assert settings["index_defaults"]["ann_parameters"]["data_type"] == "byte"

    page.get_by_role("link", name="About").click()
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Delete")
    expect(button).to_be_disabled()
    dialog.get_by_role("textbox").fill(name[:-1])
    expect(button).to_be_disabled()
    dialog.get_by_role("textbox").fill(name)
    assert accessibility_problems(page) == []
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Indexes")
    assert sidecar.get(f"/indexes/{name}/stats").status_code == 404


def test_form_of_a_new_index_offers_the_models_there_are(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_page(address(sidecar, "/create"))
    expect(page.get_by_text(re.compile(r"In memory now: .*random/small"))).to_be_visible()
    offered = page.locator("datalist option").evaluate_all("options => options.map((option) => option.value)")
    loaded = {entry["model_name"] for entry in sidecar.get("/models").json()["models"]}
    assert "random/small" in loaded
    assert set(offered[: len(loaded)]) == loaded
    assert {entry["id"] for entry in sidecar.get("/v1/models").json()["data"]} | loaded == set(offered)


def test_a_new_index_that_is_refused_is_told_in_the_form(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_page(address(sidecar, "/create"))
    page.get_by_role("button", name="Make the index").click()
    expect(page.get_by_role("alert")).to_have_text("Give the index a name.")
    page.get_by_label("Name").fill(filled)
    page.get_by_role("button", name="Make the index").click()
    expect(page.locator(".note.bad")).to_contain_text("index_already_exists")
    expect(page.get_by_role("button", name="Make the index")).to_be_enabled()


# The map


def test_map_has_a_dot_for_each_chunk_and_a_table_of_the_same(
    open_page: OpenPage, sidecar: Sidecar, filled: str
) -> None:
    page = open_map(open_page, sidecar, filled, "?color=topic")
    expect(page.locator("circle.dot")).to_have_count(60)
    expect(page.get_by_role("status")).to_contain_text("60 chunks of 30 documents, by random/small.")
    entries = page.locator(".legend li").all_inner_texts()
    assert [" ".join(entry.split()) for entry in entries] == ["cooking 20", "music 20", "animals 18", "no value 2"]
    page.get_by_text("The points as a table").click()
    rows = page.locator(".view-map tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Show 10 more of 10").click()
    expect(rows).to_have_count(60)
    told = sidecar.get(f"/indexes/{filled}/map?attribute=topic").json()["points"]
    assert rows.nth(59).locator("td").all_inner_texts() == [
        told[59]["text"],
        told[59].get("attribute", ""),
        f"{told[59]['x']:.3f}",
        f"{told[59]['y']:.3f}",
    ]


def test_point_under_the_mouse_is_told_and_a_click_shows_its_document(
    open_page: OpenPage, sidecar: Sidecar, filled: str
) -> None:
    page = open_map(open_page, sidecar, filled, "?color=topic")
    point = sidecar.get(f"/indexes/{filled}/map?attribute=topic").json()["points"][7]
    page.mouse.move(*place_of(page, 7))
    expect(page.locator(".tip")).to_contain_text(f"{point['_id']}: {point['text']} (topic: {point['attribute']})")
    page.mouse.click(*place_of(page, 7))
    panel = page.locator(".point")
    expect(panel.get_by_role("heading")).to_have_text(point["_id"])
    # A character outside the first plane stands before the second chunk: offsets count it as one.
    expect(panel.locator("mark")).to_have_text(point["text"])
    expect(panel).to_contain_text(str(1980 + int(point["_id"][1:])))
    panel.get_by_role("link", name="Search for this text").click()
    expect(page).to_have_url(re.compile(rf"#/{filled}/search\?q="))


def test_keyboard_leads_from_point_to_point(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled)
    points = sidecar.get(f"/indexes/{filled}/map").json()["points"]
    page.get_by_label("Sample").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("application")).to_be_focused()
    told = page.locator(".plot [aria-live]")
    expect(told).not_to_be_empty()
    places = []
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        words = told.inner_text()
        places.append(next(point["x"] for point in points if f"{point['_id']}: {point['text']}" == words))
    assert places == sorted(places)
    assert len(set(places)) == 4
    page.keyboard.press("Enter")
    expect(page.locator(".point h2")).to_have_text(told.inner_text().split(":")[0])
    page.keyboard.press("Escape")
    expect(page.locator(".point")).to_have_text("Choose a point to see its document.")


def test_map_is_enlarged_and_shown_whole_again(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled)
    dots = page.locator("circle.dot")
    before = dots.evaluate_all(SPREAD)
    page.get_by_role("button", name="Enlarge").click()
    assert dots.evaluate_all(SPREAD) == pytest.approx(1.6 * before, rel=0.01)
    page.get_by_role("application").focus()
    page.keyboard.press("+")
    assert dots.evaluate_all(SPREAD) == pytest.approx(1.6 * 1.6 * before, rel=0.01)
    page.keyboard.press("0")
    assert dots.evaluate_all(SPREAD) == pytest.approx(before, rel=0.01)


def test_legend_lets_one_colour_stand_out(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled, "?color=topic")
    button = page.get_by_role("button", name="music 20")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".some .dot.lit")).to_have_count(20)
    button.click()
    expect(page.locator(".some")).to_have_count(0)


def test_numbers_are_coloured_by_ranges(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled, "?color=year")
    entries = [" ".join(entry.split()) for entry in page.locator(".legend li").all_inner_texts()]
    assert entries == ["1980 – 1985 12", "1986 – 1991 12", "1992 – 1997 12", "1998 – 2003 12", "2004 – 2009 12"]


def test_choices_stay_in_the_address(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled)
    page.get_by_label("Coloured by").select_option("topic")
    expect(page.locator(".legend")).to_be_visible()
    page.get_by_label("Sample").select_option("250")
    page.get_by_role("button", name="Another sample").click()
    expect(page).to_have_url(re.compile(r"field=title&color=topic&size=250&seed=1$"))
    page.reload()
    expect(page.get_by_label("Coloured by")).to_have_value("topic")
    expect(page.get_by_label("Sample")).to_have_value("250")


def test_an_index_without_embeddings_says_what_to_do(open_page: OpenPage, sidecar: Sidecar, index: str) -> None:
    page = open_page(address(sidecar, f"{index}/map"))
    expect(page.get_by_text("This index has no embeddings yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Add documents")).to_have_attribute("href", f"#/{index}/add")


def test_pages_can_be_used_by_everybody(open_page: OpenPage, sidecar: Sidecar, filled: str) -> None:
    page = open_map(open_page, sidecar, filled, "?color=topic&size=250", color_scheme="dark")
    page.get_by_text("The points as a table").click()
    page.locator("tbody button").first.click()
    expect(page.locator(".point mark")).to_be_visible()
    # What the bar covers by chance is no fault of the page.
    page.evaluate("scrollTo(0, 0)")
    assert accessibility_problems(page) == []
    for place, sign in ((f"{filled}/about", ".facts"), ("/create", "form")):
        page.goto(address(sidecar, place))
        expect(page.locator(sign)).to_be_visible()
        assert accessibility_problems(page) == []


@pytest.mark.parametrize(
    ("place", "sign"), [("{index}/map?color=year", ".dot"), ("{index}/about", ".facts"), ("/create", "form")]
)
def test_narrow_pages_do_not_scroll_sideways(
    open_page: OpenPage, sidecar: Sidecar, filled: str, place: str, sign: str
) -> None:
    page = open_page(address(sidecar, place.format(index=filled)), viewport={"width": 340, "height": 700})
    expect(page.locator(sign).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
