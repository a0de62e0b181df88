"""The calls of the API: what each sends, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.client.exchange import Answer, Call, encode, target
from sidecar.client.hits import Hits, hits_of
from sidecar.client.outcomes import AliasMove, Deletion, Updated, items_of
from sidecar.client.questions import Filter, Query, Recommend, Search, body_of
from sidecar.client.writes import Document, UpdateOptions, update_body, update_parameters


def search(index: str, question: Search | Query) -> Call[Hits]:
    """One search; anything but a `Search` is its ``q``."""
    asked = question if isinstance(question, Search) else Search(question)
    return Call("POST", target("indexes", index, "search"), _read_hits, encode(body_of(asked)))


def recommend(index: str, question: Recommend | Sequence[str]) -> Call[Hits]:
    """Documents like others; a list is one of ids. Raises: TypeError for one text."""
    if isinstance(question, str):
        raise TypeError(f"give the ids of documents as a list: [{question!r}]")
    asked = question if isinstance(question, Recommend) else Recommend(question)
    return Call("POST", target("indexes", index, "recommend"), _read_hits, encode(body_of(asked)))


def update(index: str, documents: Sequence[Document], options: UpdateOptions) -> Call[Updated]:
    """Changes of some fields; a second time changes nothing more."""
    path = target("indexes", index, "documents", parameters=update_parameters(options))
    body = encode(update_body(documents, options))
    return Call("PATCH", path, lambda answer: Updated(items_of(answer.json()["items"])), body, is_long=True)


def delete_by_query(index: str, found_by: Filter, *, refresh: bool) -> Call[Deletion]:
    """Not repeatable: the counts would be those of the second time."""
    path = target("indexes", index, "documents", "delete-by-query", parameters=_refresh(refresh))
    return Call("POST", path, _read_deletion, encode({"filter": found_by}), is_repeatable=False, is_long=True)


def delete(index: str, ids: Sequence[str], *, refresh: bool) -> Call[Updated]:
    """Documents by their ids; one that is not there is ``not_found``."""
    path = target("indexes", index, "documents", "delete-batch", parameters=_refresh(refresh))
    return Call("POST", path, lambda answer: Updated(items_of(answer.json()["items"])), encode(ids))


def get(index: str, ids: Sequence[str]) -> Call[list[dict[str, Any] | None]]:
    """Documents by their ids, in their order."""
    return Call("GET", target("indexes", index, "documents"), _read_documents, encode(ids))


def refresh(index: str) -> Call[None]:
    """Let searches see what was written."""
    return Call("POST", target("indexes", index, "refresh"), _read_nothing)


def create(index: str, settings: Mapping[str, Any]) -> Call[None]:
    """Not repeatable: the second time there is one already."""
    return Call("POST", target("indexes", index), _read_nothing, encode(settings), is_repeatable=False)


def drop(index: str) -> Call[None]:
    """Not repeatable: the second time there is none."""
    return Call("DELETE", target("indexes", index), _read_nothing, is_repeatable=False)


def aliases(index: str) -> Call[list[str]]:
    """The other names of an index."""
    return Call("GET", target("indexes", index, "aliases"), lambda answer: list(answer.json()["aliases"]))


def put_alias(index: str, alias: str) -> Call[AliasMove]:
    """Not repeatable: the second time it has been moved from nowhere."""
    path = target("indexes", index, "aliases", alias)
    return Call("PUT", path, _read_alias, is_repeatable=False)


def delete_alias(index: str, alias: str) -> Call[None]:
    """Not repeatable: the second time there is none."""
    return Call("DELETE", target("indexes", index, "aliases", alias), _read_nothing, is_repeatable=False)


def _refresh(wanted: bool) -> list[tuple[str, str]]:
    return [("refresh", "true")] if wanted else []


def _read_hits(answer: Answer) -> Hits:
    return hits_of(answer.json(), answer.headers.get("x-request-id", ""))


def _read_documents(answer: Answer) -> list[dict[str, Any] | None]:
    return [
        {name: value for name, value in found.items() if name != "_found"} if found["_found"] else None
        for found in answer.json()["results"]
    ]


def _read_deletion(answer: Answer) -> Deletion:
    told = answer.json()
    return Deletion(told["deleted"], told["total"], told["versionConflicts"], tuple(told["failures"]))


def _read_alias(answer: Answer) -> AliasMove:
    told = answer.json()
    return AliasMove(told["alias"], told["index"], told["movedFrom"])


def _read_nothing(answer: Answer) -> None:
    """A status of success says it all."""
