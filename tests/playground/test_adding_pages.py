"""Adding documents in the playground, by form and by file, in a real browser."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.fix_browser import OpenPage, accessibility_problems
from tests.fix_server import Sidecar

ADD = "Add the documents"


@pytest.fixture
def page(open_page: OpenPage, sidecar: Sidecar, index: str) -> Page:
    """The page that adds documents to a fresh index of the model random/small."""
    opened = open_page(f"{sidecar.url}/ui#/{index}/add")
    expect(opened.get_by_role("heading", level=1)).to_have_text(f"Add documents to {index}")
    return opened


def choose(page: Page, name: str, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    page.locator("input[type=file]").set_input_files(FilePayload(name=name, mimeType="", buffer=data))


def send(page: Page, name: str, content: str | bytes) -> Locator:
    """Choose a file, add it as it is offered; returns the summary."""
    choose(page, name, content)
    page.get_by_role("button", name=ADD).click()
    return page.locator(".note[role=status]")


def lines_of(documents: Sequence[Any]) -> str:
    return "".join(f"{json.dumps(document)}\n" for document in documents)


def stored(sidecar: Sidecar, index: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sidecar.get(f"/indexes/{index}/documents", list(ids)).json()["results"]
    return [{key: value for key, value in one.items() if key != "_found"} for one in found]


def stats(sidecar: Sidecar, index: str) -> tuple[int, int]:
    told = sidecar.get(f"/indexes/{index}/stats").json()
    return told["numberOfDocuments"], told["numberOfVectors"]


# By form


def test_form_adds_the_document_that_it_shows(page: Page, sidecar: Sidecar, index: str) -> None:
    page.get_by_label("_id", exact=True).fill("first")
    fields = page.get_by_role("group", name="Field")
    fields.nth(0).get_by_label("Value", exact=True).fill("A title.\nTwo lines.")
    for number, (name, kind, value) in enumerate([("year", "number", "1999"), ("tags", "json", '["a", "b"]')], start=1):
        page.get_by_role("button", name="Field", exact=True).click()
        fields.nth(number).get_by_label("Name of the field").fill(name)
        fields.nth(number).get_by_label("Kind of value").select_option(kind)
        fields.nth(number).get_by_label("Value", exact=True).fill(value)
    document = {"_id": "first", "title": "A title.\nTwo lines.", "year": 1999, "tags": ["a", "b"]}
    shown = page.evaluate("JSON.parse(document.querySelector('pre').textContent)")
    assert shown == {"documents": [document], "tensorFields": ["title"]}
    page.get_by_role("button", name="Add the document").click()
    expect(page.locator(".note.good")).to_contain_text("Document first is added.")
    assert stored(sidecar, index, ["first"]) == [document]
    assert stats(sidecar, index) == (1, 1)
    expect(fields.nth(0).get_by_label("Value", exact=True)).to_be_focused()
    expect(fields.nth(0).get_by_label("Value", exact=True)).to_have_value("")


def test_form_starts_with_the_fields_that_the_index_has(open_page: OpenPage, sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "One.", "year": 1, "is_new": True}])
    page = open_page(f"{sidecar.url}/ui#/{index}/add")
    names = page.get_by_label("Name of the field")
    expect(names).to_have_count(3)
    assert [names.nth(place).input_value() for place in range(3)] == ["title", "is_new", "year"]
    kinds = page.get_by_label("Kind of value")
    assert [kinds.nth(place).input_value() for place in range(3)] == ["text", "truth", "number"]


@pytest.mark.parametrize(
    ("name", "kind", "value", "told"),
    [
        ("year", "number", "soon", "This is no number."),
        ("tags", "json", "[1,", "This is not JSON."),
        ("title", "text", "Another", "There are two fields title."),
        ("", "text", "Nameless", "Give the field a name."),
    ],
)
def test_form_tells_what_is_wrong_before_it_is_sent(page: Page, name: str, kind: str, value: str, told: str) -> None:
    fields = page.get_by_role("group", name="Field")
    fields.nth(0).get_by_label("Value", exact=True).fill("A title.")
    page.get_by_role("button", name="Field", exact=True).click()
    fields.nth(1).get_by_label("Name of the field").fill(name)
    fields.nth(1).get_by_label("Kind of value").select_option(kind)
    fields.nth(1).get_by_label("Value", exact=True).fill(value)
    expect(fields.nth(1).locator(".problem")).to_have_text(told)
    expect(page.get_by_role("button", name="Add the document")).to_be_disabled()
    fields.nth(1).get_by_role("button", name="Remove the field").click()
    expect(page.get_by_role("button", name="Add the document")).to_be_enabled()


def test_form_shows_why_the_index_refused_a_document(page: Page) -> None:
    page.get_by_label("Name of the field").fill("a/b")
    page.get_by_label("Value", exact=True).fill("text")
    page.get_by_label("Embed").uncheck()
    page.get_by_role("button", name="Add the document").click()
    expect(page.locator(".note.bad")).to_contain_text("it must not contain a slash")
    expect(page.get_by_label("Value", exact=True)).to_have_value("text")


# By file


def test_lines_of_json_are_added_and_those_that_fail_are_listed(
    page: Page, sidecar: Sidecar, index: str, tmp_path: Path
) -> None:
    text = (
        '{"_id": "1", "title": "One.", "big": 12345678901234567}\n'
        "\n"
        '{"_id": "3", "title": null}\n'
        "not json\n"
        '{"_id": "5", "title": "Five."}\n'
        '"a text"\n'
        '{"title": "Without an id."}'
    )
    expect(send(page, "some.jsonl", text)).to_contain_text("3 documents failed.")
    expect(page.get_by_text("3 documents of 6 written in")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    told = {row.locator("td").nth(0).inner_text(): row.locator("td").all_inner_texts()[1:] for row in rows.all()}
    assert told["3"][0] == "3"
    assert "title" in told["3"][1]
    assert told["4"][1].startswith("not JSON: ")
    assert told["6"] == ["", "not an object, so no document"]
    # A number that JavaScript would round is stored as it is in the file.
    assert stored(sidecar, index, ["1"]) == [{"_id": "1", "title": "One.", "big": 12345678901234567}]
    assert stats(sidecar, index) == (3, 3)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save them as a file").click()
    downloading.value.save_as(tmp_path / "failed.jsonl")
    saved = [json.loads(line) for line in (tmp_path / "failed.jsonl").read_text("utf-8").splitlines()]
    assert [(entry["line"], entry.get("document")) for entry in sorted(saved, key=lambda entry: entry["line"])] == [
        (3, {"_id": "3", "title": None}),
        (4, None),
        (6, None),
    ]


def test_delimited_text_becomes_values_as_it_is_chosen(page: Page, sidecar: Sidecar, index: str) -> None:
    text = (
        "\ufeffkey;title;year;is_new;secret\r\n"
        '1;"A ""quoted""; title";1999;true;x\r\n'
        '2;"Two\nlines";2001;false;y\r\n'
        "3;;2003;;z\r\n"
        "4;Four;2004;true;z;more\r\n"
    )
    choose(page, "some.csv", text)
    expect(page.get_by_label("Kind of year")).to_have_value("number")
    expect(page.get_by_label("Kind of is_new")).to_have_value("truth")
    expect(page.get_by_label("Embed title")).to_be_checked()
    page.get_by_label("Kind of key").select_option("text")
    page.get_by_label("Keep secret").uncheck()
    page.get_by_label("The id of a document is").select_option("key")
    page.get_by_role("button", name=ADD).click()
    expect(page.locator(".note[role=status]")).to_contain_text("1 document failed.")
    expect(page.locator("tbody tr")).to_contain_text("6 cells, but the header has 5")
    # The record that spans two lines counts as two.
    expect(page.locator("tbody td").first).to_have_text("6")
    assert stored(sidecar, index, ["1", "2", "3"]) == [
        {"_id": "1", "key": "1", "title": 'A "quoted"; title', "year": 1999, "is_new": True},
        {"_id": "2", "key": "2", "title": "Two\nlines", "year": 2001, "is_new": False},
        {"_id": "3", "key": "3", "year": 2003},
    ]


def test_an_array_of_documents_is_added(page: Page, sidecar: Sidecar, index: str) -> None:
    documents = [{"_id": str(number), "title": f"Number {number}."} for number in range(40)]
    expect(send(page, "some.json", json.dumps(documents, indent=2))).to_contain_text("All of them are in the index.")
    assert stored(sidecar, index, [str(number) for number in range(40)]) == documents


def test_a_file_can_be_dropped(page: Page, sidecar: Sidecar, index: str) -> None:
    page.locator(".drop").evaluate(
        """(zone) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(['{"title": "Dropped."}'], "dropped.jsonl"));
          zone.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_text("dropped.jsonl")).to_be_visible()
    page.get_by_role("button", name=ADD).click()
    expect(page.locator(".note[role=status]")).to_contain_text("All of them are in the index.")
    assert stats(sidecar, index) == (1, 1)


def test_a_long_file_goes_in_pieces_that_tell_how_far_it_is(page: Page, sidecar: Sidecar, index: str) -> None:
    choose(page, "long.jsonl", lines_of([{"title": f"Number {number}."} for number in range(1500)]))
    page.get_by_label("Embed title").uncheck()
    page.evaluate(
        """() => {
          window.told = [];
          const note = () => {
            const bar = document.querySelector("progress");
            if (bar) window.told.push([bar.value / bar.max, document.querySelector(".progress + .hint").textContent]);
          };
          new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    page.get_by_role("button", name=ADD).click()
    expect(page.locator(".note[role=status]")).to_contain_text("All of them are in the index.")
    shares, texts = zip(*page.evaluate("window.told"), strict=True)
    assert list(shares) == sorted(shares)
    assert shares[-1] == 1
    seen = {text.split(" document")[0]: share for share, text in zip(shares, texts, strict=True)}
    assert seen["112"] == pytest.approx(112 / 1500, rel=0.15)
    counts = [text.split(" document")[0] for text in dict.fromkeys(texts) if " a second" in text]
    assert counts[:3] == ["16", "48", "112"]
    assert counts[-1] == "1,500"
    assert stats(sidecar, index) == (1500, 0)


def test_what_broke_off_can_be_sent_again_and_is_there_once(page: Page, sidecar: Sidecar, index: str) -> None:
    requests: list[str] = []

    def cut_second_answer(route: Route) -> None:
        requests.append(route.request.url)
        if len(requests) == 2:
            # The sidecar does what it is asked to; the browser gets the beginning of the answer.
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().splitlines(keepends=True)[0])
        else:
            route.continue_()

    page.route("**/documents?tensorFields=*", cut_second_answer)
    choose(page, "some.jsonl", lines_of([{"title": f"Number {number}."} for number in range(100)]))
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("alert")).to_contain_text("The answer broke off.")
    page.get_by_role("button", name="Send the rest").click()
    expect(page.locator(".note[role=status]")).to_contain_text("All of them are in the index.")
    expect(page.get_by_text("100 documents of 100 written in")).to_be_visible()
    assert stats(sidecar, index) == (100, 100)


def test_adding_can_be_stopped(page: Page, sidecar: Sidecar, index: str) -> None:
    seen: list[Route] = []

    def let_the_first_through(route: Route) -> None:
        seen.append(route)
        if len(seen) == 1:
            route.continue_()

    page.route("**/documents?tensorFields=*", let_the_first_through)
    choose(page, "some.jsonl", lines_of([{"title": f"Number {number}."} for number in range(100)]))
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_text("16 documents · ")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. 16 documents of 16 written in")).to_be_visible()
    expect(page.locator(".note[role=status]")).to_contain_text("What was written stays.")
    assert stats(sidecar, index) == (16, 16)


def test_an_index_that_is_gone_is_told(page: Page, sidecar: Sidecar, index: str) -> None:
    choose(page, "some.jsonl", lines_of([{"title": "One."}]))
    expect(page.get_by_role("button", name=ADD)).to_be_visible()
    sidecar.delete(f"/indexes/{index}")
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("alert")).to_contain_text("index_not_found")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.jsonl", "", "There is no document in empty.jsonl."),
        ("broken.json", "[1, ", "broken.json is not JSON: "),
        ("texts.json", '["a"]', "Line 1 of texts.json is not an object, so no document."),
        ("latin.csv", "title\nÄpfel\n".encode("latin-1"), "latin.csv is not UTF-8, near byte 0."),
        ("open.csv", 'title\n"never closed\n', "The quotes that open in the record of line 2 are not closed."),
        ("twice.csv", "a,b,a\n1,2,3\n", 'The header has the column "a" twice.'),
    ],
)
def test_a_file_that_cannot_be_read_is_told(page: Page, name: str, content: str | bytes, told: str) -> None:
    choose(page, name, content)
    expect(page.get_by_role("alert")).to_contain_text(told)


cells = st.lists(st.text(alphabet='ab ,;"\r\n\t🙂é', max_size=6), min_size=1, max_size=4)


def test_delimited_text_is_read_as_it_was_written(page: Page) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(cells, min_size=1, max_size=5),
        st.sampled_from(",;\t"),
        st.sampled_from(["\n", "\r\n"]),
        st.integers(1, 7),
    )
    def check(rows: list[list[str]], delimiter: str, ending: str, piece: int) -> None:
        written = io.StringIO()
        # Quotes around everything tell a record of one empty cell from an empty line.
        csv.writer(written, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
        read = page.evaluate(
            """async ([text, delimiter, size]) => {
              const { records } = await import(new URL("ui/csv.js", document.baseURI));
              const pieces = [];
              for (let start = 0; start < text.length; start += size) pieces.push(text.slice(start, start + size));
              return Array.fromAsync(records(pieces, delimiter), (record) => record.cells);
            }""",
            [written.getvalue(), delimiter, piece],
        )
        assert read == rows

    check()


def test_page_can_be_used_by_everybody(page: Page) -> None:
    choose(page, "some.csv", "title,year\nOne,1\n")
    page.get_by_role("button", name=ADD).click()
    expect(page.locator(".note[role=status]")).to_be_visible()
    choose(page, "some.csv", "title,year\nOne,1\n")
    expect(page.get_by_role("button", name=ADD)).to_be_focused()
    assert accessibility_problems(page) == []
    page.set_viewport_size({"width": 340, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
