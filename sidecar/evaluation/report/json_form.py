"""An evaluation as JSON, there and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from sidecar.broken_rules import broken_rule
from sidecar.errors import InvalidArgument
from sidecar.evaluation.report.standing import LEADING
from sidecar.evaluation.results import FORMAT_VERSION, Evaluation, Outcome

FORMAT = "sidecar-evaluation"

_EVALUATION: TypeAdapter[Evaluation] = TypeAdapter(Evaluation)


def to_json(evaluation: Evaluation) -> bytes:
    """The whole evaluation as JSON, indented; `from_json` gives the same again."""
    members = {"format": FORMAT, "version": FORMAT_VERSION, **_EVALUATION.dump_python(evaluation)}
    return orjson.dumps(members, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)


def from_json(text: bytes, *, origin: str) -> Evaluation:
    """Read what `to_json` wrote; `origin` names it in errors.

    Raises: InvalidArgument where it is no evaluation, one of another version, or not whole.
    """
    try:
        members: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"{origin} is not JSON: {error}") from error
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise InvalidArgument(f'{origin} is not an evaluation: it lacks "format": "{FORMAT}"')
    if members.get("version") != FORMAT_VERSION:
        raise InvalidArgument(
            f"{origin} has version {members.get('version')!r} of the format; this sidecar reads version "
            f"{FORMAT_VERSION}: evaluate again, or read it with the sidecar that wrote it"
        )
    try:
        evaluation = _EVALUATION.validate_python(members)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InvalidArgument(f"{origin} is not a whole evaluation: {place}: {broken_rule(first)}") from error
    check(evaluation, origin=origin)
    return evaluation


def check(evaluation: Evaluation, *, origin: str) -> None:
    """See that choices can be compared: unique names, and the same queries for each measure.

    Raises: InvalidArgument, which tells the first problem.
    """
    for problem in _problems(evaluation):
        raise InvalidArgument(f"{origin} can't be compared: {problem}")


def _problems(evaluation: Evaluation) -> Iterator[str]:
    if not evaluation.outcomes:
        yield "it has no outcome"
        return
    first = evaluation.outcomes[0]
    if LEADING not in first.per_query:
        yield f"{first.choice.name} has no values of {LEADING}"
    if not all(first.per_query.values()):
        yield "it has no judged query"
    names: set[str] = set()
    for outcome in evaluation.outcomes:
        if outcome.choice.name in names:
            yield f"two choices have the name {outcome.choice.name}"
        names.add(outcome.choice.name)
        yield from _differences(outcome, first)


def _differences(outcome: Outcome, first: Outcome) -> Iterator[str]:
    if outcome.per_query.keys() != first.per_query.keys():
        yield f"{outcome.choice.name} has other measures than {first.choice.name}"
    for measure, values in outcome.per_query.items():
        if values.keys() != first.per_query.get(measure, values).keys():
            yield f"{outcome.choice.name} has values of {measure} for other queries than {first.choice.name}"
        if not all(math.isfinite(number) for number in values.values()):
            yield f"{outcome.choice.name} has a value of {measure} that is not a number"
