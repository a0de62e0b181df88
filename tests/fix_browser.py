"""A real Chromium, and pages in it that fail their test where the browser complains or another host is asked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A container has no sandbox of its own to give, and little shared memory.
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars")
WAIT_MS = 15_000
_ANSWERS = "Failed to load resource: the server responded with a status of 4"
"""What Chromium says of every refusal of the API, which the page tells in words of its own."""

OpenPage = Callable[..., Page]


@dataclass
class Watched:
    """What went wrong in a page, and which hosts it asked."""

    origin: str
    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note the page's errors from now on."""
        page.on("console", self._say)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._ask)

    def _say(self, message: ConsoleMessage) -> None:
        is_answer = message.text.startswith(_ANSWERS) and "/ui" not in message.location["url"]
        if message.type in ("error", "warning") and not is_answer:
            self.problems.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _ask(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.problems.append(f"asked another host: {request.url}")


def find_chromium() -> str:
    """The program of the browser. Fails the test where there is none, and says what to do."""
    named = os.environ.get("CHROMIUM")
    found = named if named and shutil.which(named) else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail(
            f"No Chromium was found: none of {', '.join(PROGRAMS)} is on the PATH. Run tools/install_browser.sh, or "
            "let CHROMIUM name its program.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file of tests. Not for the whole run: while it is there its loop runs in this thread, and
    tests that are coroutines could not."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a profile of its own: ``open_page(url, color_scheme="dark")``; the options are Playwright's.

    When the test ends it fails for whatever the browser complained of, and for requests to other hosts.
    """
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def open_page(url: str, **options: Any) -> Page:
        # Still pictures: no test waits for an animation.
        chosen = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce", **options}
        contexts.append(browser.new_context(**chosen))
        contexts[-1].set_default_timeout(WAIT_MS)
        page = contexts[-1].new_page()
        watched.append(Watched("/".join(url.split("/")[:3])))
        watched[-1].watch(page)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [problem for each in watched for problem in each.problems] == []


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA and its own best practices, as one line for each element."""
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": rules}})
    return [
        f"{violation['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
