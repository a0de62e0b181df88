"""What plots show, apart from how they look."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sidecar.evaluation.report.configuration import configurations
from sidecar.evaluation.report.plots.drawing import Plot, as_svg, drawing, new_figure
from sidecar.evaluation.report.plots.labels import label_points
from sidecar.evaluation.report.plots.recall import recall_curves, recall_of_graph
from sidecar.evaluation.results import Choice
from tests.evaluation.report.made import example, outcome


def _curve(name: str, choice: Choice, recall: float) -> object:
    return outcome(name, [0.5], choice=choice, ann_recall={10: recall})


def test_choices_that_search_one_index_share_a_line_named_by_what_sets_it_apart() -> None:
    base = Choice("", "TENSOR", "hf/MiniLM", "float32", 256, m=16)
    hybrid = Choice("", "HYBRID", "hf/MiniLM", "float32", 256, m=16, alpha=0.5)
    int8 = Choice("", "TENSOR", "hf/MiniLM", "int8", 256, m=16)
    outcomes = [_curve("a", base, 0.9), _curve("b", hybrid, 0.9), _curve("c", int8, 0.8)]
    assert recall_curves([*outcomes, outcome("d", [0.5])]) == {"float32": {10: 0.9}, "int8": {10: 0.8}}


def test_one_index_is_named_by_its_model() -> None:
    assert recall_curves([_curve("a", Choice("", "TENSOR", "hf/MiniLM"), 0.9)]) == {"MiniLM": {10: 0.9}}


def test_models_of_one_short_name_keep_their_lines_apart() -> None:
    outcomes = [_curve(owner, Choice("", "TENSOR", f"{owner}/e5"), 0.9) for owner in ("hf", "mine")]
    assert list(recall_curves(outcomes)) == ["hf/e5", "mine/e5"]


def test_a_part_that_only_some_have_is_told_where_it_is() -> None:
    plain, split = Choice("", "TENSOR", "m"), Choice("", "TENSOR", "m", chunking="sentence/2/0")
    assert list(recall_curves([_curve("a", plain, 0.9), _curve("b", split, 0.8)])) == [
        "one chunk",
        "chunks sentence/2/0",
    ]


def test_lexical_searches_have_no_plot_of_recall() -> None:
    assert recall_of_graph([outcome("BM25", [0.5])]) is None


@pytest.mark.parametrize("count", [3, 12, 60])
def test_names_beside_points_never_cover_each_other(count: int) -> None:
    with drawing():
        figure = new_figure(4)
        axes = figure.add_subplot()
        points = [(float(at % 7), float(at % 5)) for at in range(count)]
        axes.plot(*zip(*points, strict=True), "o")
        label_points(axes, points, [f"choice {at}" for at in range(count)], [])
        boxes = [text.get_window_extent() for text in axes.texts]
        assert boxes
        assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])


def test_lines_of_the_front_are_left_free() -> None:
    with drawing():
        figure = new_figure(4)
        axes = figure.add_subplot()
        corners = [(1.0, 1.0), (4.0, 2.0), (9.0, 5.0)]
        axes.step(*zip(*corners, strict=True), where="post")
        label_points(axes, corners, ["first", "second", "third"], corners)
        for text in axes.texts:
            box = text.get_window_extent()
            for (x, y), (next_x, next_y) in pairwise(corners):
                (left, level), (right, top) = axes.transData.transform([(x, y), (next_x, next_y)])
                assert not (box.y0 < level < box.y1 and box.x0 < right and left < box.x1)
                assert not (box.x0 < right < box.x1 and box.y0 < top and level < box.y1)


def test_a_plot_of_two_names_has_no_id_twice() -> None:
    with drawing():
        texts = []
        for name in ("one", "two"):
            plot = Plot(name, "A & B", "<what it shows>", new_figure(2))
            plot.figure.add_subplot().plot([1, 2], [3, 4])[0].set_gid(plot.tip("3 < 4"))
            texts.append(as_svg(plot))
    assert texts[0].replace("one-", "two-") == texts[1]
    assert "<title>3 &lt; 4</title>" in texts[0]
    assert "A &amp; B" in texts[0]
    assert "&lt;what it shows&gt;" in texts[0]


def test_what_all_graphs_have_in_common_is_told_once() -> None:
    lines, shared = configurations([outcome.choice for outcome in example().outcomes])
    assert shared == "m 16, ef_construction 128"
    assert lines[0] == "lexical"
    assert lines[3] == "tensor, hf/all-MiniLM-L6-v2, float32, 256 tokens, chunks sentence/2/0, ef_search 100"
    assert lines[6] == "hybrid, hf/e5-base-v2, float32, 512 tokens, alpha 0.6, ef_search 100"


def test_graphs_that_differ_are_told_of_each_choice() -> None:
    lines, shared = configurations([Choice("a", "TENSOR", "e5", m=8), Choice("b", "TENSOR", "e5", m=16)])
    assert (lines, shared) == (["tensor, e5, m 8", "tensor, e5, m 16"], "")
