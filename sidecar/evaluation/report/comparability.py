"""Whether the figures of two evaluations can be compared at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from sidecar.evaluation.results import Evaluation

_MACHINE = ("processor", "processors", "memory_bytes")
_SOFTWARE = ("opensearch", "sidecar")


def is_same_data(a: Evaluation, b: Evaluation) -> bool:
    """True where both are of the same documents, queries and judgements, so that queries can be paired."""
    return a.data.fingerprint == b.data.fingerprint and _measured(a) == _measured(b)


def is_same_machine(a: Evaluation, b: Evaluation) -> bool:
    """True where times compare: the same processor, as many of it, and as much memory."""
    return all(getattr(a.machine, name) == getattr(b.machine, name) for name in _MACHINE)


def remarks_on(a: Evaluation, b: Evaluation) -> Iterator[str]:
    """Sentences on what differs besides the choices, and which figures can't be compared for that."""
    if a.data.fingerprint != b.data.fingerprint:
        yield (
            f"Relevance can't be compared: the data differs (fingerprint {a.data.fingerprint} in A, "
            f"{b.data.fingerprint} in B). Speeds and sizes are of different documents."
        )
    elif not is_same_data(a, b):
        yield "Relevance can't be tested: A and B have other queries or measures."
    machine = [name for name in _MACHINE if getattr(a.machine, name) != getattr(b.machine, name)]
    if machine:
        told = ", ".join(f"{name.removesuffix('_bytes')} {_sides(a, b, name)}" for name in machine)
        yield f"Latencies, speeds and memory can't be compared: the machines differ ({told})."
    for name in _SOFTWARE:
        if getattr(a.machine, name) != getattr(b.machine, name):
            yield f"The version of {name} differs: {_sides(a, b, name)}."
    yield from _of_choices(a, b)


def _sides(a: Evaluation, b: Evaluation, name: str) -> str:
    return f"{getattr(a.machine, name)} in A, {getattr(b.machine, name)} in B"


def _measured(evaluation: Evaluation) -> dict[str, set[str]]:
    return {measure: set(values) for measure, values in evaluation.outcomes[0].per_query.items()}


def _of_choices(a: Evaluation, b: Evaluation) -> Iterator[str]:
    """Choices that have one name and are not the same."""
    in_b = {outcome.choice.name: asdict(outcome.choice) for outcome in b.outcomes}
    for outcome in a.outcomes:
        other = in_b.get(outcome.choice.name)
        if other is None:
            continue
        one = asdict(outcome.choice)
        parts = [f"{part} {one[part]} in A, {other[part]} in B" for part in one if one[part] != other[part]]
        if parts:
            yield f"{outcome.choice.name} is not the same choice in both: {'; '.join(parts)}."
