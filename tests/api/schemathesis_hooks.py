"""What Schemathesis is told of this API besides its document; `schemathesis run` loads it.

Of random requests nearly all would end at the first rule that a JSON schema can't tell: there is no index of that name,
two keys do not go together. Valid requests are mended here, so that they get further; those that break the document's
own rules stay as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import requests
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

FILLED = "fuzzed"
"""An index with documents, of the model random/small."""
DIMENSIONS = 32
NEW_INDEX = "/indexes/{index}"
NEW_NAMES = ("made-1", "made-2", "made-3")
MOST_SHARDS = 1024
TOGETHER = frozenset(
    ("index", "q", "searchMethod", "limit", "offset", "searchableAttributes", "attributesToRetrieve", "showHighlights")
)
"""Keys of a search that go with any other."""
LEGACY = ("use_existing_tensors", "image_download_headers", "model_auth", "mappings")


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Mend a valid request; let new indexes have one shard, for each takes time, and memory of the one node."""
    path = case.operation.path
    if case.meta is not None and not case.meta.is_negative_at(ParameterLocation.PATH):
        _lead_somewhere(case, is_stateful=case.meta.phase.name == TestPhase.STATEFUL)
    if path == NEW_INDEX and isinstance(case.body, dict):
        shards = case.body.get("number_of_shards", MOST_SHARDS)
        if isinstance(shards, int) and 1 < shards <= MOST_SHARDS:
            case.body = {**case.body, "number_of_shards": 1}
    if path in MENDED and case.meta is not None and not case.meta.generation.mode.is_negative:
        MENDED[path](case)


def _lead_somewhere(case: Case, *, is_stateful: bool) -> None:
    values = case.path_parameters or {}
    request = [values, case.query, case.body if isinstance(case.body, (dict, list, str)) else None]
    if case.operation.path == NEW_INDEX and (case.method == "POST" or not is_stateful or values["index"] == FILLED):
        names = NEW_NAMES if is_stateful or values["index"] == FILLED else (*NEW_NAMES, values["index"])
        values["index"] = _one_of(names, request)
    elif not is_stateful and case.operation.path != NEW_INDEX:
        for name, value in values.items():
            values[name] = _one_of((*VALUES[name], value), request)


VALUES: dict[str, Sequence[str]] = {
    "index": (FILLED, FILLED, FILLED, FILLED),
    "alias": ("other", "another"),
    "field": ("title", "year", "missing"),
    "document_id": ("first", "second", "missing"),
    "file": ("start.js", "swagger-ui.css", "missing"),
    "name": ("random/small", "hf/e5-base"),
}
"""Values of the parameters of paths; some requests have random ones."""


def _one_of(choices: Sequence[Any], value: object) -> Any:
    """One of the choices, always the same for the same value."""
    return choices[zlib.crc32(repr(value).encode("utf-8", "replace")) % len(choices)]


def _mend_search(case: Case) -> None:
    if isinstance(case.body, dict):
        case.body = _answerable(case.body)


def _mend_searches(case: Case) -> None:
    if isinstance(case.body, dict) and isinstance(case.body.get("queries"), list):
        case.body = {"queries": [{**_answerable(query), "index": FILLED} for query in case.body["queries"]]}


def _answerable(body: dict[str, Any]) -> dict[str, Any]:
    """The search with something to search for, and one of its keys that may not go with another."""
    others = sorted(body.keys() - TOGETHER)
    kept = {key: value for key, value in body.items() if key in TOGETHER}
    if others:
        key = _one_of(others, body)
        kept[key] = body[key]
    if kept.get("context"):
        kept["q"] = None if _one_of((True, False), body) else {"A title": 1.5}
        kept["searchMethod"] = "TENSOR"
        for entry in kept["context"]["tensor"]:
            entry["vector"] = (entry["vector"] * DIMENSIONS)[:DIMENSIONS]
    elif not isinstance(kept.get("q"), str) and (kept.get("searchMethod") != "TENSOR" or not kept.get("q")):
        kept["q"] = "A title"
    if kept.get("hybridParameters"):
        kept["searchMethod"] = "HYBRID"
    return kept


def _mend_embeddings(case: Case) -> None:
    if isinstance(case.body, dict):
        case.body = {**case.body, "model": "random/small"}
        if case.body.get("dimensions"):
            case.body["dimensions"] = DIMENSIONS


def _mend_recommendation(case: Case) -> None:
    if isinstance(case.body, dict):
        others = {key: value for key, value in _answerable(case.body).items() if key not in ("q", "documents")}
        case.body = {**others, "documents": _one_of((["first"], {"first": 1.5, "second": -0.5}), case.body)}


def _mend_deletion(case: Case) -> None:
    if isinstance(case.body, dict):
        case.body = {"filter": _one_of((case.body.get("filter"), "year:<1900", {"term": {"year": 1}}), case.body)}


def _mend_addition(case: Case) -> None:
    query = case.query or {}
    if case.media_type != "application/json":
        query = {key: value for key, value in query.items() if key not in (*LEGACY, "nonTensorFields")}
        query["tensorFields"] = ["title"]
    elif isinstance(case.body, list):
        query.setdefault("non_tensor_fields", ["title"])
        for name in LEGACY[1:]:
            query.pop(name, None)
    elif isinstance(case.body, dict):
        for name in ("non_tensor_fields", *LEGACY):
            query.pop(name, None)
        body = {key: value for key, value in case.body.items() if key not in ("tensorFields", "nonTensorFields")}
        case.body = {**body, **_one_of(({"tensorFields": ["title", "year"]}, {"nonTensorFields": ["year"]}), body)}
    case.query = query


def _mend_map(case: Case) -> None:
    query = {**(case.query or {}), "field": "title"}
    if "attribute" in query:
        query["attribute"] = _one_of(("title", "year", query["attribute"]), query)
    case.query = query


MENDED: dict[str, Callable[[Case], None]] = {
    "/indexes/{index}/search": _mend_search,
    "/indexes/bulk/search": _mend_searches,
    "/indexes/{index}/documents": _mend_addition,
    "/indexes/{index}/documents/delete-by-query": _mend_deletion,
    "/indexes/{index}/recommend": _mend_recommendation,
    "/indexes/{index}/map": _mend_map,
    "/v1/embeddings": _mend_embeddings,
}


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Delete a new index at once, so that the next request makes one again; not where requests build on one another."""
    is_stateful = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    if case.method == "POST" and case.operation.path == NEW_INDEX and response.status_code == 200 and not is_stateful:
        request = response.request
        headers = {"x-api-key": request.headers["x-api-key"]}
        requests.delete(str(request.url).partition("?")[0], headers=headers, timeout=30).raise_for_status()


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Leave out failures that are none."""
    # A document's id may be delete-batch, too, so that GET is allowed there too, by another route of the document.
    is_below_documents = case.operation.path.endswith(("/delete-batch", "/delete-by-query"))
    return not (failure.title == "Allow header mismatch" and is_below_documents)
