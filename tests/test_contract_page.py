"""The contract page: it has every route, parameter and code of the API, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from sidecar.api.schemas.documents import LEGACY_PARAMETERS
from sidecar.errors import ConfigurationError, SidecarError
from tests.fix_server import MakeClient
from tests.served_app import NOBODY

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "contract.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/.-]+\.py)::(\w+)`", PAGE)

ROUTES = {
    "GET /",
    "GET /health",
    "GET /indexes",
    "POST /indexes/{index}",
    "DELETE /indexes/{index}",
    "GET /indexes/{index}/settings",
    "GET /indexes/{index}/stats",
    "GET /indexes/{index}/health",
    "POST /indexes/{index}/refresh",
    "POST /indexes/{index}/documents",
    "GET /indexes/{index}/documents",
    "GET /indexes/{index}/documents/{document_id}",
    "POST /indexes/{index}/documents/delete-batch",
    "POST /indexes/{index}/search",
    "POST /indexes/bulk/search",
    "GET /models",
    "DELETE /models",
    "GET /device/cpu",
    "GET /device/cuda",
}
QUERY = {"refresh", "device", "telemetry", "expose_facets", "model_name", "model_device", *LEGACY_PARAMETERS}
SETTINGS = {
    *("number_of_shards", "number_of_replicas", "index_defaults", "model", "model_properties", "search_model"),
    *("search_model_properties", "treat_urls_and_pointers_as_images", "normalize_embeddings", "text_preprocessing"),
    *("split_length", "split_overlap", "split_method", "override_text_chunk_prefix", "override_text_query_prefix"),
    *("image_preprocessing", "patch_method", "ann_parameters", "name", "engine", "space_type", "parameters", "m"),
    "ef_construction",
}
MODELS = {
    *("type", "name", "dimensions", "tokens", "url", "localpath", "model_location", "s3", "hf", "auth_required"),
    *("text_query_prefix", "text_chunk_prefix", "model_size"),
}
ADDING = {
    *("documents", "tensorFields", "nonTensorFields", "useExistingTensors", "imageDownloadHeaders", "modelAuth"),
    *("mappings", "textChunkPrefix", "weights", "content", "vector"),
}
SEARCHING = {
    *("q", "searchMethod", "limit", "offset", "searchableAttributes", "attributesToRetrieve", "showHighlights"),
    *("filter", "reRanker", "textQueryPrefix", "boost", "scoreModifiers", "context", "image_download_headers"),
    *("modelAuth", "queries", "index"),
}
OWN_CODES = {"alias_not_found", "body_too_large", "unauthorized", "unprocessable", ConfigurationError.code}
"""Codes that clients of the contract do not know, or that no answer has."""
SECTIONS = {
    "Routes": ROUTES,
    "Parameters in the query": QUERY,
    "Index settings": SETTINGS,
    "Models": MODELS,
    "Adding documents": ADDING,
    "Searching": SEARCHING,
}


def section(title: str) -> str:
    found = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def first_cells(title: str) -> set[str]:
    """All names in backticks in the first cells of the section's tables."""
    rows = [line.split(" | ")[0] for line in section(title).splitlines() if line.startswith("| ")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_test_is_there(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in names_in(path)


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    heads = [row for row in rows if row.endswith("| What holds | Test |")]
    assert len(heads) >= len(SECTIONS)
    assert [row for row in rows if row not in heads and "::" not in row.split(" | ")[-1]] == []


@pytest.mark.parametrize("title", SECTIONS)
def test_section_has_every_name(title: str) -> None:
    assert SECTIONS[title] - first_cells(title) == set()


def test_every_route_is_served(make_client: MakeClient) -> None:
    rules = make_client(opensearch_url=NOBODY).application.url_map.iter_rules()
    braces = str.maketrans("<>", "{}")
    served = {f"{method} {rule.rule.translate(braces)}" for rule in rules for method in rule.methods or ()}
    assert served >= ROUTES
    assert first_cells("Routes") == ROUTES


def codes(error: type[SidecarError]) -> set[str]:
    """The codes of a family of errors."""
    return {error.code}.union(*map(codes, error.__subclasses__()))


def test_every_code_is_told() -> None:
    told = first_cells("Errors")
    assert codes(SidecarError) - OWN_CODES - told == set()


def test_checklist_has_every_number() -> None:
    found = [
        name
        for path in ("tests/api/test_contract.py", "tests/api/test_contract_search.py")
        for name in names_in(path)
        if name.startswith("test_")
    ]
    assert sorted(name[5:7] for name in found) == [f"{number:02}" for number in range(1, 55)]
