"""The measures against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.evaluation.measures import measure

DOCUMENTS = [f"d{number}" for number in range(130)]
GRADES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 4), min_size=1, max_size=20)
RANKINGS = st.permutations(DOCUMENTS)


@given(GRADES, RANKINGS)
def test_measures_are_those_of_their_definitions(grades: dict[str, int], ranking: list[str]) -> None:
    page, deep = ranking[:10], ranking[:100]
    values = {name: each["q"] for name, each in measure({"q": grades}, {"q": page}, {"q": deep}).items()}
    answers = {document for document, grade in grades.items() if grade > 0}

    def recall(found: list[str]) -> float:
        return len(answers & set(found)) / len(answers) if answers else 0.0

    def gain(documents: list[str]) -> float:
        return sum(grades.get(document, 0) / math.log2(rank + 2) for rank, document in enumerate(documents))

    best = gain(sorted(grades, key=lambda document: -grades[document])[:10])
    first = next((rank for rank, document in enumerate(deep, start=1) if document in answers), None)
    assert values["nDCG@10"] == pytest.approx(gain(page) / best if best else 0.0)
    assert values["R@10"] == pytest.approx(recall(page))
    assert values["R@100"] == pytest.approx(recall(deep))
    assert values["RR"] == pytest.approx(0.0 if first is None else 1 / first)


def test_every_judged_query_counts() -> None:
    grades = {"found": {"a": 1}, "found nothing": {"a": 1}, "without an answer": {"a": 0}}
    values = measure(grades, {"found": ["a"], "found nothing": []}, {"found": ["a"], "without an answer": ["a"]})
    for each in values.values():
        assert each == {"found": 1.0, "found nothing": 0.0, "without an answer": 0.0}
