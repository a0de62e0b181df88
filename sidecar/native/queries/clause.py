"""One ``neural`` query as its client wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sidecar.native.errors import ILLEGAL_ARGUMENT, PARSING, Refused
from sidecar.native.json.spans import Array, Member, Node, Object
from sidecar.native.queries.grammar import NEURAL, Clause

TEXT: Final = "query_text"
IMAGE: Final = "query_image"
MODEL: Final = "model_id"
FILTER: Final = "filter"
LIMITS: Final = ("k", "max_distance", "min_score")
"""Parameters of which a query has one: how many neighbours, or how near they must be."""
OUTER: Final = ("boost", "_name")
"""Parameters that any query may have, so that they go to what the query is wrapped into."""
_VALUES: Final = frozenset({TEXT, IMAGE, MODEL, *LIMITS, *OUTER, "expand_nested_docs"})
_OBJECTS: Final = frozenset({FILTER, "method_parameters", "rescore"})


@dataclass(frozen=True, slots=True)
class NeuralClause:
    """A ``neural`` query on one field; what is not given is None. ``parameters`` is the object under the field."""

    clause: Clause
    field: str
    parameters: Object
    text: str | None
    image: str | None
    model_id: str | None

    @property
    def has_limit(self) -> bool:
        """True where one of `LIMITS` is given."""
        return any(member.key in LIMITS for member in self.parameters.members)


def field_of(clause: Clause) -> Member | None:
    """The member that is a ``neural`` query's field; None where it has not the shape of one."""
    value = clause.member.value
    first = value.members[0] if isinstance(value, Object) and value.members else None
    return first if first is not None and isinstance(first.value, Object) else None


def model_of(clause: Clause, data: bytes) -> str | None:
    """The ``model_id`` of a ``neural`` query, where it has one."""
    member = field_of(clause)
    node = member.value.get(MODEL) if member is not None and isinstance(member.value, Object) else None
    return None if node is None or isinstance(node, (Object, Array)) else _text(node, data)


def read_clause(clause: Clause, data: bytes) -> NeuralClause:
    """A ``neural`` query whose parameters are checked as the neural-search plugin checks them.

    Raises: Refused with that plugin's texts.
    """
    member = field_of(clause)
    assert member is not None and isinstance(member.value, Object)
    fields = clause.member.value
    parameters = member.value
    for parameter in parameters.members:
        _check(parameter, data)
    if isinstance(fields, Object) and len(fields.members) > 1:
        raise Refused(
            PARSING,
            f"[{NEURAL}] query doesn't support multiple fields, found [{member.key}] and [{fields.members[1].key}]",
        )
    read = NeuralClause(
        clause=clause,
        field=member.key,
        parameters=parameters,
        text=_content(parameters.get(TEXT), data),
        image=_content(parameters.get(IMAGE), data),
        model_id=model_of(clause, data),
    )
    if problems := list(_problems(read)):
        raise Refused(ILLEGAL_ARGUMENT, f"Invalid neural query: {'; '.join(problems)}")
    return read


def _check(parameter: Member, data: bytes) -> None:
    value = parameter.value
    if isinstance(value, Object):
        is_known = parameter.key in _OBJECTS
    elif (token := _token_of_no_value(value, data)) is not None:
        raise Refused(PARSING, f"[{NEURAL}] unknown token [{token}] after [{parameter.key}]")
    else:
        is_known = parameter.key in _VALUES
    if not is_known:
        raise Refused(PARSING, f"[{NEURAL}] query does not support [{parameter.key}]")


def _token_of_no_value(node: Node, data: bytes) -> str | None:
    """OpenSearch's name for what is neither an object nor a value."""
    if isinstance(node, Array) or data[node.start : node.start + 1] == b"[":
        return "START_ARRAY"
    return "VALUE_NULL" if node.text(data) == b"null" else None


def _problems(read: NeuralClause) -> Iterator[str]:
    if read.text is None and read.image is None:
        yield f"Either {TEXT} or {IMAGE} must be provided."
    if sum(read.parameters.get(limit) is not None for limit in LIMITS) > 1:
        yield "Only one of k, max_distance, or min_score can be provided"
    if read.model_id == "":
        yield f"{MODEL} field can not be empty"


def _content(node: Node | None, data: bytes) -> str | None:
    """A text to embed; a blank one is none."""
    text = None if node is None else _text(node, data)
    return text if text is not None and text.strip() else None


def _text(node: Node, data: bytes) -> str:
    """A value as OpenSearch reads it where it wants a text: numbers by their digits."""
    value = node.value(data) if data[node.start : node.start + 1] == b'"' else None
    return value if isinstance(value, str) else node.text(data).decode()
