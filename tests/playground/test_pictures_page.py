"""The search page of an index of pictures: found by text, and by images that are dropped, pasted and chosen."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests.fix_browser import OpenPage
from tests.fix_clip import DATA
from tests.playground.conftest import data_url, emoji, fill

PATCHED = "playground-patches"

GIVE = """([kind, url, name]) => {
    const bytes = Uint8Array.from(atob(url.split(",")[1]), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true };
    if (kind === "paste") document.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
    else document.body.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: transfer }));
}"""
"""Gives an image to the page as the browser does when the reader drags, drops or pastes a file."""


@pytest.fixture
def page(open_page: OpenPage, site: str, pictures: str) -> Page:
    return open_page(f"{site}/ui#/{pictures}/search")


def file_of(name: str) -> Path:
    return DATA / "emoji" / next(caption["file"] for caption in emoji() if caption["name"] == name)


def give(page: Page, kind: str, name: str) -> None:
    expect(page.get_by_role("button", name="Image")).to_be_visible()
    page.evaluate(GIVE, [kind, data_url(file_of(name)), f"{name}.png"])


def search(page: Page, text: str) -> None:
    page.get_by_label("Search for", exact=True).fill(text)
    page.keyboard.press("Enter")


def expect_first(page: Page, title: str) -> None:
    expect(page.locator(".hit h3").first).to_have_text(title)


def natural_width(page: Page, title: str) -> int:
    image = page.get_by_role("img", name=f"Picture of {title}")
    expect(image).to_be_visible()
    page.wait_for_function("image => image.complete", arg=image.element_handle())
    width: int = image.evaluate("image => image.naturalWidth")
    return width


def test_text_finds_pictures_and_shows_them(page: Page) -> None:
    search(page, "banana")
    expect_first(page, "banana")
    assert natural_width(page, "banana") > 0
    expect(page.locator(".evidence").first).to_contain_text("picture its picture")


def test_picture_that_lies_on_the_server_is_shown_too(page: Page) -> None:
    search(page, "black cat")
    expect_first(page, "black cat")
    assert natural_width(page, "black cat") > 0


def test_pasted_image_finds_itself(page: Page) -> None:
    give(page, "paste", "leopard")
    expect_first(page, "leopard")
    expect(page.locator(".hit .score").first).to_contain_text("1.0000")
    expect(page.locator(".chip")).to_have_text("Image: leopard.png")


def test_dropped_image_finds_itself_and_the_page_says_where_to_drop(page: Page) -> None:
    give(page, "dragover", "pizza")
    expect(page.locator("body")).to_have_class("dropping")
    give(page, "drop", "pizza")
    expect(page.locator("body")).not_to_have_class("dropping")
    expect_first(page, "pizza")


def test_large_image_is_made_smaller_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    with Image.open(file_of("bell")) as picture:
        picture.convert("RGBA").resize((2000, 2000)).save(tmp_path / "large.bmp")
    with page.expect_request(re.compile("/search$")) as asked:
        page.locator("input[type=file]").set_input_files(tmp_path / "large.bmp")
    assert asked.value.post_data_json["q"].startswith("data:image/jpeg;base64,")
    assert len(asked.value.post_data or "") < 200_000
    expect_first(page, "bell")


def test_file_that_is_no_image_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.svg").write_text("no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.svg")
    expect(page.get_by_role("alert")).to_contain_text("broken.svg is not an image that this browser can read")


def test_image_and_text_are_mixed_with_weights(page: Page) -> None:
    give(page, "paste", "leopard")
    expect_first(page, "leopard")
    page.get_by_role("button", name="Mix").click()
    page.keyboard.type("baby chick")
    page.get_by_label("Weight of baby chick").press("End")
    page.get_by_label("Weight of leopard.png").press("Home")
    expect_first(page, "baby chick")
    page.get_by_role("button", name="Remove leopard.png").click()
    expect(page.get_by_role("slider", name=re.compile("Weight"))).to_have_count(0)


def test_more_like_this_leaves_the_picture_itself_out(page: Page) -> None:
    search(page, "banana")
    expect_first(page, "banana")
    page.get_by_role("button", name="More like banana").click()
    expect(page.locator(".hit")).to_have_count(7)
    assert "banana" not in page.locator(".hit h3").all_text_contents()


def test_part_of_the_picture_that_won_is_framed(
    open_page: OpenPage, site: str, tiny_clip_properties: dict[str, Any]
) -> None:
    defaults = {"model": "tiny-emoji", "model_properties": tiny_clip_properties}
    patched = {"treat_urls_and_pointers_as_images": True, "image_preprocessing": {"patch_method": "simple?hn=1&wn=2"}}
    fill(site, PATCHED, {**defaults, **patched}, [{"_id": "two", "picture": bell_beside_banana()}], ["picture"])
    try:
        page = open_page(f"{site}/ui#/{PATCHED}/search?q=banana")
        frame = page.locator(".patch")
        expect(frame).to_be_visible()
        assert frame.evaluate("frame => [frame.style.left, frame.style.width]") == ["50%", "50%"]
    finally:
        requests.delete(f"{site}/indexes/{PATCHED}", timeout=60)


def bell_beside_banana() -> str:
    """One picture with a bell on the left and a banana on the right."""
    with Image.open(file_of("bell")) as left, Image.open(file_of("banana")) as right:
        both = Image.new("RGB", (left.width * 2, left.height), "white")
        for number, each in enumerate((left.convert("RGBA"), right.convert("RGBA"))):
            both.paste(each, (number * left.width, 0), each)
    stream = io.BytesIO()
    both.save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def test_index_of_texts_takes_no_image(open_page: OpenPage, site: str, texts: str) -> None:
    page = open_page(f"{site}/ui#/{texts}/search")
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    expect(page.get_by_role("button", name="Image")).to_have_count(0)
    page.evaluate(GIVE, ["paste", data_url(file_of("bell")), "bell.png"])
    expect(page.get_by_role("alert")).to_contain_text("embeds texts only")
