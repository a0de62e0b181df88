"""The page is whole, needs nothing else, and shows data as what it is."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sidecar.evaluation.report.advice import advice_on
from sidecar.evaluation.report.page import page_of
from sidecar.evaluation.report.standing import standings
from sidecar.evaluation.results import Choice, DataFacts, Evaluation, Machine
from tests.evaluation.report.made import evaluation, example, noisy, outcome

EVIL = """</title></style></script><script>alert(1)</script><img src=x onerror=alert(2)>"'&{{ 7 * 7 }} $x_1$"""
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def attributes_of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_in(self, *tags: str) -> str:
        return " ".join(text for tag, text in self.texts if tag in tags)


def _page(made: Evaluation) -> str:
    return page_of(made, standings(made))


@pytest.fixture(scope="module")
def text() -> str:
    return _page(example())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def evil() -> str:
    """A page all of whose words are markup."""
    choice = Choice(EVIL, "HYBRID", EVIL, EVIL, 8, EVIL, 0.5, 10, 16, 100)
    first = outcome(EVIL, noisy(0.5, seed=1, queries=30), choice=choice, ann_recall={10: 0.9})
    second = outcome(EVIL + "2", noisy(0.5, seed=3, queries=30, spread=0.4), choice=choice, ann_recall={10: 0.9})
    measures = {
        measure: {f"{EVIL}{query}": value for query, value in values.items()}
        for measure, values in first.per_query.items()
    }
    others = {
        measure: {f"{EVIL}{query}": value for query, value in values.items()}
        for measure, values in second.per_query.items()
    }
    made = evaluation(replace(first, per_query=measures | {EVIL: measures["RR"]}), data=DataFacts(EVIL, 9, 9, 9, EVIL))
    made = replace(
        made,
        began_at=EVIL,
        machine=Machine(EVIL, 2, 8, EVIL, EVIL),
        outcomes=(*made.outcomes, replace(second, per_query=others | {EVIL: others["RR"]})),
    )
    return _page(made)


def test_elements_are_closed_and_ids_are_unique(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_reference_is_into_the_page(page: Page, text: str) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "image", "audio", "video", "form", "a"}
    for _, attributes in page.elements:
        assert not attributes.keys() & {"src", "srcset", "action", "poster", "background"}
        for name in ("href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith("#")
            assert target == "#" or target[1:] in ids
        for target in (attributes.get("aria-labelledby") or "").split():
            assert target in ids
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= ids
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)|data:", text)


def test_policy_forbids_requests_and_any_other_script(page: Page) -> None:
    (policy,) = [each["content"] for each in page.attributes_of("meta") if "http-equiv" in each]
    digest = base64.b64encode(hashlib.sha256(page.text_in("script").encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert len(page.attributes_of("script")) == 1


def test_markup_in_data_stays_text(evil: str) -> None:
    page = Page(evil)
    assert page.open == []
    assert len(page.attributes_of("script")) == 1
    assert page.attributes_of("img") == []
    assert not [tag for tag, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert EVIL in page.text_in("h1")
    assert EVIL in page.text_in("title")
    assert EVIL in page.text_in("span")
    assert EVIL in page.text_in("code")
    assert f"{EVIL}q" in page.text_in("th")


def test_advice_and_every_choice_are_told(page: Page) -> None:
    assert advice_on(example()) in page.text_in("p")
    rows = page.text_in("span")
    assert all(outcome.choice.name in rows for outcome in example().outcomes)
    assert page.text_in("span").count("take this") == 1


def test_every_plot_has_a_title_and_words_for_those_who_do_not_see_it(page: Page, text: str) -> None:
    plots = page.attributes_of("svg")
    assert [plot["aria-labelledby"] for plot in plots] == [
        f"{name}-title {name}-description" for name in ("relevance", "means", "recall", "latencies", "storage")
    ]
    assert {plot["role"] for plot in plots} == {"img"}
    assert len(re.findall(r"<desc id=[^>]*>[^<]{20,}</desc>", text)) == 5
    assert "On the Pareto front, the fastest first: 7 BM25: nDCG@10 0.58" in page.text_in("desc")


def test_every_point_tells_its_figures(page: Page) -> None:
    assert "17.2 ms" in page.text_in("title")
    assert "E5: 28 MB" in page.text_in("title")


def test_plots_have_no_colours_but_those_of_the_style_sheet(text: str) -> None:
    plots = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert not any(re.search(r"#[0-9a-f]{6}\b", re.sub(r'(href="|url\()#[^")]*', "", plot)) for plot in plots)
    used = {variable for plot in plots for variable in re.findall(r"var\((--[a-z0-9-]+)\)", plot)}
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", text))
    assert {"--ink", "--accent", "--best", "--worse"} <= used


def test_dark_mode_sets_every_colour_of_the_light_one(text: str) -> None:
    blocks = [set(re.findall(r"(--[a-z0-9-]+):", block)) for block in re.findall(r":root \{(.*?)\}", text, re.DOTALL)]
    light, dark, on_paper = blocks
    assert on_paper < light
    assert light == dark


def test_a_dollar_in_a_name_is_no_formula(evil: str) -> None:
    assert "$" in Page(evil).text_in("text")


def test_queries_that_differ_most_are_listed(text: str) -> None:
    first, second = [0.5, 0.9, 0.5, 0.5], [0.5, 0.1, 0.7, 0.5]
    page = Page(_page(evaluation(outcome("best", first), outcome("other", second))))
    summary = page.text_in("summary", "span")
    assert "1 better" in summary
    assert "1 worse" in summary
    assert "2 equal" in summary
    assert "−0.8000" in page.text_in("td")
    assert "+0.2000" in page.text_in("td")


def test_one_lexical_choice_has_a_page_without_recall_and_comparison() -> None:
    page = Page(_page(evaluation(outcome("BM25", [0.5], choice=Choice("", "LEXICAL")))))
    assert [plot["aria-labelledby"] for plot in page.attributes_of("svg")] == [
        f"{name}-title {name}-description" for name in ("relevance", "means", "latencies", "storage")
    ]
    assert page.attributes_of("details") == []


def test_the_same_evaluation_gives_the_same_page(text: str) -> None:
    assert _page(example()) == text
