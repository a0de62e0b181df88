"""Which choices a command line and a plan ask for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, UnknownModel
from sidecar.evaluation.choices import Grid, complete_all, expand
from sidecar.evaluation.chunkings import checked_chunking, chunking_settings
from sidecar.evaluation.data.collection import Kind
from sidecar.evaluation.index_plan import plan_indexes
from sidecar.evaluation.models import Models
from sidecar.evaluation.plan_file import read_plan
from sidecar.evaluation.results import Choice

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MODELS = Models(ModelTable(), {"mine": {"type": "random", "dimensions": 8}})


def _names(grid: Grid, kind: Kind = Kind.TEXT) -> list[str]:
    return [choice.name for choice in complete_all(expand(grid), MODELS, kind)]


def test_a_grid_has_every_combination_once() -> None:
    grid = Grid(
        [MINILM], ["float32", "int8"], [256], ["none", "sentence/2"], ["TENSOR", "LEXICAL", "HYBRID"], [0.3, 0.5]
    )
    assert _names(grid) == [
        "lexical",
        "all-MiniLM-L6-v2 float32 whole tensor",
        "all-MiniLM-L6-v2 float32 whole hybrid 0.3",
        "all-MiniLM-L6-v2 float32 whole hybrid 0.5",
        "all-MiniLM-L6-v2 float32 sentence/2/0 tensor",
        "all-MiniLM-L6-v2 float32 sentence/2/0 hybrid 0.3",
        "all-MiniLM-L6-v2 float32 sentence/2/0 hybrid 0.5",
        "all-MiniLM-L6-v2 int8 whole tensor",
        "all-MiniLM-L6-v2 int8 whole hybrid 0.3",
        "all-MiniLM-L6-v2 int8 whole hybrid 0.5",
        "all-MiniLM-L6-v2 int8 sentence/2/0 tensor",
        "all-MiniLM-L6-v2 int8 sentence/2/0 hybrid 0.3",
        "all-MiniLM-L6-v2 int8 sentence/2/0 hybrid 0.5",
    ]


def test_choices_that_differ_in_searching_only_share_an_index() -> None:
    grid = Grid([MINILM], ["float32", "int8"], methods=["TENSOR", "HYBRID"], ef_searches=[10, 100], ms=[4, 16])
    plans = plan_indexes(complete_all(expand(grid), MODELS, Kind.TEXT), MODELS, Kind.TEXT)
    assert [len(plan.choices) for plan in plans] == [4, 4, 4, 4]
    assert len({plan.embedding_key for plan in plans}) == 2  # the graph does not change vectors


def test_values_that_are_the_models_own_are_filled_in_and_stay_out_of_the_settings() -> None:
    (given,) = complete_all([Choice("", "TENSOR", MINILM, "float32", 256)], MODELS, Kind.TEXT)
    (left_out,) = complete_all([Choice("", "TENSOR", MINILM)], MODELS, Kind.TEXT)
    assert given == left_out
    assert (given.max_tokens, given.precision, given.m, given.ef_construction) == (256, "float32", 16, 128)
    assert MODELS.settings(given) == {"model": MINILM}
    changed = replace(given, max_tokens=128, precision="int8")
    assert MODELS.spec(changed).max_tokens == 128
    assert MODELS.spec(changed).precision == "int8"


def test_models_of_the_same_last_name_are_told_apart() -> None:
    grid = Grid(["hf/all_datasets_v4_MiniLM-L6", "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6", "mine"])
    assert _names(grid) == [
        "hf/all_datasets_v4_MiniLM-L6 tensor",
        "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6 tensor",
        "mine tensor",
    ]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice("", "TENSOR"), "method tensor needs a model"),
        (Choice("", "TENSOR", MINILM, precision="int4"), "precision 'int4' must be one of float32, float16, int8"),
        (
            Choice("", "TENSOR", MINILM, chunking="sentence"),
            "'sentence' must be none or METHOD/LENGTH/OVERLAP",
        ),
        (Choice("", "TENSOR", MINILM, chunking="word/²"), "'word/²' must be none or METHOD/LENGTH/OVERLAP"),
        (Choice("", "TENSOR", MINILM, chunking="word/2/2"), "it must be at least 0 and less than split_length"),
        (Choice("", "HYBRID", MINILM, alpha=1.5), "alpha is 1.5; it must be from 0"),
        (Choice("", "TENSOR", MINILM, ef_search=0), "ef_search is 0; it must be at least 1"),
        (Choice("", "EXACT", MINILM), "must be one of tensor, lexical, hybrid"),  # type: ignore[arg-type]
    ],
)
def test_a_choice_that_can_not_be_is_told(choice: Choice, told: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        complete_all([choice], MODELS, Kind.TEXT)
    assert told in caught.value.message


def test_unknown_models_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="all-MiniLM-L6-v2"):
        complete_all([Choice("", "TENSOR", "all-MiniLM-L6-v3")], MODELS, Kind.TEXT)


def test_pictures_have_no_words() -> None:
    with pytest.raises(InvalidArgument, match="Pictures have no words"):
        complete_all([Choice("", "HYBRID", "mine")], MODELS, Kind.IMAGE)


def test_a_grid_without_a_model_is_refused_unless_it_needs_none() -> None:
    assert _names(Grid(methods=["LEXICAL"])) == ["lexical"]
    with pytest.raises(InvalidArgument, match="--model"):
        expand(Grid(methods=["LEXICAL", "TENSOR"]))


@pytest.mark.parametrize(
    ("text", "chunking"),
    [("none", None), ("sentence/2", "sentence/2/0"), ("word/100/20", "word/100/20"), ("passage/1/0", "passage/1/0")],
)
def test_chunkings_are_said_in_a_word(text: str, chunking: str | None) -> None:
    assert checked_chunking(text) == chunking
    assert chunking_settings(chunking)["split_overlap"] == int((chunking or "0").rpartition("/")[2])


PLAN = """\
models:
  ours: {type: random, dimensions: 8}
choices:
  - method: lexical
  - name: small
    model: ours
  - model: sentence-transformers/all-MiniLM-L6-v2
    method: hybrid
    alpha: 0.3
    ef_search: 100
"""


def test_a_plan_lists_choices_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN)
    plan = read_plan(path)
    models = Models(ModelTable(), plan.properties)
    plan.check(models, Kind.TEXT)
    choices = complete_all(plan.choices, models, Kind.TEXT)
    assert [choice.name for choice in choices] == ["lexical", "small", "all-MiniLM-L6-v2 hybrid 0.3 ef 100"]
    assert (choices[2].alpha, choices[2].ef_search) == (0.3, 100)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("alpha:", "alfa:", "plan.yml, line 9, choices.2.alfa: there is no such key; known are name, method, model"),
        ("alpha: 0.3", "alpha: much", "plan.yml, line 9, choices.2.alpha: must be a number"),
        ("alpha: 0.3", "alpha: 3", "plan.yml, line 7: alpha is 3.0; it must be from 0"),
        ("model: ours", "model: theirs", "plan.yml, line 5: there is no model named 'theirs'"),
        ("choices:", "choice:", "plan.yml, line 1, choices: must be given"),
        (PLAN, "- a", "must be a mapping with the key 'choices'"),
        (PLAN, "a: [", "can't be read"),
    ],
)
def test_what_is_wrong_in_a_plan_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN.replace(old, new))
    with pytest.raises(InvalidArgument) as caught:
        plan = read_plan(path)
        plan.check(Models(ModelTable(), plan.properties), Kind.TEXT)
    assert told in caught.value.message


def test_two_choices_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="Two choices have the name 'a'"):
        complete_all([Choice("a", "LEXICAL"), Choice("a", "TENSOR", MINILM)], MODELS, Kind.TEXT)
