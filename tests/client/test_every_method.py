"""That the tests of this folder call every public method of the client, with every parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.remote import Worker

FOLDER = Path(__file__).parent
OBJECTS = {"mq": "Client", "ix": "Index"}
"""What the tests call the client's objects."""
SAME_AS = {("Index", "create"): ("Client", "create_index"), ("Index", "__init__"): ("Client", "index")}
"""Methods whose parameters go on to another one, which the client's own methods call."""
NEVER_SENT = {("Index", "__init__"): {"created_at", "updated_at"}}
"""Parameters that the client keeps to itself."""

Call = tuple[str, str, set[str], int]


def calls() -> Iterator[Call]:
    """Every call of a method: class, method, parameters given by name, and how many by place."""
    for path in FOLDER.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name in OBJECTS:
                    given = {keyword.arg for keyword in node.keywords if keyword.arg}
                    yield OBJECTS[name], method, given, len(node.args)
                case ast.Call(func=ast.Name(id="RemoteClient"), args=[_, ast.Dict(keys=keys)]):
                    yield "Client", "__init__", {str(key.value) for key in keys if isinstance(key, ast.Constant)}, 0
                case ast.Call(func=ast.Name(id="refusal"), args=[ast.Name(id="ix"), *_]):
                    yield "Index", "search", {keyword.arg for keyword in node.keywords if keyword.arg}, 0


def covered() -> dict[tuple[str, str], tuple[set[str], int]]:
    """(class, method) -> the parameters that any call gives by name, and the most that one gives by place."""
    found: dict[tuple[str, str], tuple[set[str], int]] = {}
    for kind, method, given, places in calls():
        names, most = found.get((kind, method), (set(), 0))
        found[kind, method] = names | given, max(most, places)
    return found


@pytest.fixture
def methods(worker: Worker) -> dict[tuple[str, str], list[str]]:
    """(class, method) -> its parameters, as the client itself tells."""
    return {(kind, name): parameters for kind, found in worker.methods().items() for name, parameters in found.items()}


def test_every_public_method_is_called(methods: dict[tuple[str, str], list[str]]) -> None:
    assert ("Client", "create_index") in methods
    assert methods.keys() - SAME_AS.keys() - covered().keys() == set()


def test_every_parameter_is_given(methods: dict[tuple[str, str], list[str]]) -> None:
    missing = {}
    called = covered()
    for name, parameters in methods.items():
        given, places = called[SAME_AS.get(name, name)]
        left = set(parameters[places:]) - given - NEVER_SENT.get(name, set()) - {"config"}
        if left - {"index_name"}:
            missing[name] = left
    assert missing == {}


def test_every_method_that_is_called_is_the_clients(methods: dict[tuple[str, str], list[str]]) -> None:
    assert covered().keys() - methods.keys() == set()
