"""Take the pictures of the playground that the documentation shows: ``python tools/screenshots.py``.

Starts a node and a server of its own, with the demo's documents and the tests' emoji, and a Chromium.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from sidecar.cli.demo import INDEX, SETTINGS  # noqa: E402
from sidecar.cli.demo_corpus import read_documents  # noqa: E402
from sidecar.opensearch.node import ensure_running  # noqa: E402
from tests.fix_browser import ARGUMENTS, find_chromium  # noqa: E402
from tests.fix_clip import DATA, TINY_CLIP, read_captions  # noqa: E402
from tests.fix_opensearch import node_settings  # noqa: E402
from tests.served_app import served  # noqa: E402

TARGET = ROOT / "docs" / "images"
MODULES = frozenset(
    [
        "bisect",
        "calendar",
        "collections",
        "concurrent",
        "contextlib",
        "csv",
        "datetime",
        "difflib",
        "fractions",
        "functools",
        "glob",
        "heapq",
        "json",
        "mimetypes",
        "os",
        "pathlib",
        "queue",
        "random",
        "re",
        "sched",
        "secrets",
        "shutil",
        "statistics",
        "string",
        "tempfile",
        "textwrap",
        "threading",
        "timeit",
        "uuid",
        "zipfile",
    ]
)
"""Of the demo's documents, those that are soon indexed and know an answer to what is asked below."""
EMOJI = "emoji"
COLOURS = 256
"""Of each picture's own palette: a third of the size, and no difference to be seen."""
MAX_BYTES = 300_000


@dataclass(frozen=True)
class Shot:
    """A picture: the page that is opened, its size in pixels, and what is done there first."""

    name: str
    address: str
    width: int = 1200
    height: int = 860
    options: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Page], None] = lambda page: None


def _mix(page: Page) -> None:
    page.get_by_role("button", name="Mix").click()
    page.keyboard.type("heart")
    page.keyboard.press("Enter")


SHOTS = (
    Shot("playground-light", f"#/{INDEX}/search?q=make+a+temporary+directory+that+goes+away+by+itself"),
    Shot("playground-dark", f"#/{EMOJI}/search?q=smiling+face", options={"color_scheme": "dark"}, prepare=_mix),
    Shot("playground-narrow", f"#/{EMOJI}/search?q=flag", width=390, height=844, options={"device_scale_factor": 2}),
    Shot("playground-side-by-side", f"#/{INDEX}/search?q=leap+year&method=COMPARE"),
    Shot("playground-about", f"#/{INDEX}/about"),
    Shot("playground-map", f"#/{INDEX}/map"),
)


def main() -> None:
    """Take all pictures."""
    TARGET.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        ensure_running(node_settings(), ephemeral=True) as node,
        served(opensearch_url=node.url, home=Path(home), max_add_documents=1000) as url,
        sync_playwright() as playwright,
    ):
        _fill(url)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for shot in SHOTS:
            print(shot.name, _take(browser, url, shot), "bytes")
        browser.close()


def _fill(url: str) -> None:
    documents = [document for document in read_documents() if document["module"] in MODULES]
    _add(url, INDEX, SETTINGS, documents, ["title", "body"])
    properties = {"name": "tiny-emoji", "type": "open_clip", "localpath": str(TINY_CLIP), "dimensions": 96}
    defaults = {"model": "tiny-emoji", "model_properties": properties, "treat_urls_and_pointers_as_images": True}
    emoji = [
        {
            "_id": caption["file"],
            "name": caption["name"],
            "picture": _data_url(DATA / "emoji" / caption["file"]),
            "keywords": caption["keywords"],
        }
        for caption in read_captions(DATA / "emoji")
    ]
    _add(url, EMOJI, {"index_defaults": defaults, "number_of_shards": 1}, emoji, ["picture"])


def _add(url: str, index: str, settings: dict[str, Any], documents: list[dict[str, Any]], fields: list[str]) -> None:
    requests.post(f"{url}/indexes/{index}", json=settings, timeout=60).raise_for_status()
    body = {"documents": documents, "tensorFields": fields}
    answered = requests.post(f"{url}/indexes/{index}/documents?refresh=true", json=body, timeout=600)
    answered.raise_for_status()
    assert answered.json()["errors"] is False, answered.text[:1000]


def _data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _take(browser: Browser, url: str, shot: Shot) -> int:
    """Take one picture; returns its size in bytes."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, reduced_motion="reduce", **shot.options
    )
    page = context.new_page()
    page.goto(f"{url}/ui{shot.address}")
    page.wait_for_load_state("networkidle")
    page.reload()  # the second time the model is loaded, and the time that is shown is the usual one
    page.wait_for_load_state("networkidle")
    shot.prepare(page)
    page.wait_for_timeout(1000)  # a search after the last change, and its pictures
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    path = TARGET / f"{shot.name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{path} has {size:,} bytes; the limit is {MAX_BYTES:,}. Show less, or take fewer colours.")
    return size


if __name__ == "__main__":
    main()
