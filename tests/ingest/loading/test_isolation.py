"""Documents on which a model fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sidecar.errors import EndpointError, EndpointUnavailable, ModelLoadError
from sidecar.ingest.loading.isolation import isolated_items

Documents = Sequence[dict[str, Any]]


def documents(count: int) -> list[dict[str, Any]]:
    return [{"_id": str(number)} for number in range(count)]


class Writer:
    """Adds documents, but fails as a whole where it meets a bad one."""

    def __init__(self, bad: set[str], error: Exception) -> None:
        self.bad = bad
        self.error = error
        self.calls = 0

    def __call__(self, some: Documents) -> list[dict[str, Any]]:
        self.calls += 1
        if any(document["_id"] in self.bad for document in some):
            raise self.error
        return [{"_id": document["_id"], "result": "created", "status": 201} for document in some]


@pytest.mark.parametrize("bad", [{"0"}, {"63"}, {"17", "18"}, {"0", "31", "32", "63"}])
def test_only_the_documents_on_which_the_model_fails_fail(bad: set[str]) -> None:
    writer = Writer(bad, RuntimeError("token 7 is out of range"))
    items = isolated_items(writer, documents(64))
    assert [item["_id"] for item in items] == [str(number) for number in range(64)]
    assert {item["_id"] for item in items if "error" in item} == bad
    failed = next(item for item in items if "error" in item)
    assert (failed["code"], failed["status"]) == ("model_failed", 500)
    assert "RuntimeError: token 7 is out of range" in failed["error"]
    assert writer.calls <= 14 * len(bad) + 1


def test_an_endpoints_refusal_is_the_documents_own() -> None:
    items = isolated_items(Writer({"1"}, EndpointError("the text is too long")), documents(3))
    assert [item.get("code") for item in items] == [None, EndpointError.code, None]


def test_a_model_that_fails_on_every_document_ends_the_load() -> None:
    every = {str(number) for number in range(500)}
    writer = Writer(every, RuntimeError("no kernel image"))
    with pytest.raises(RuntimeError, match="no kernel image"):
        isolated_items(writer, documents(500))
    assert writer.calls < 40


@pytest.mark.parametrize("error", [ModelLoadError("no files"), EndpointUnavailable("it is away")])
def test_what_no_document_is_at_fault_for_is_not_looked_for_in_documents(error: Exception) -> None:
    writer = Writer({"1"}, error)
    with pytest.raises(type(error)):
        isolated_items(writer, documents(4))
    assert writer.calls == 1
