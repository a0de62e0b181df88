"""What the client needs and offers: few imports, the same words as the wire, types."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mypy import api as mypy

import sidecar.client
from sidecar.api.schemas.documents import AddDocumentsBody
from sidecar.api.schemas.recommend import RecommendBody
from sidecar.api.schemas.search import SearchBody
from sidecar.api.schemas.search_options import HybridBody
from sidecar.client import (
    AddOptions,
    AsyncIndex,
    AsyncSidecarClient,
    HybridParameters,
    Index,
    Recommend,
    Search,
    SidecarClient,
    UpdateOptions,
)
from sidecar.client.questions import body_of
from sidecar.client.writes import stream_parameters, update_body, update_parameters
from tests.fix_client import python_with
from tests.fix_server import Sidecar

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("flask", "werkzeug", "torch", "numpy", "pandas", "PIL", "orjson", "pydantic", "onnxruntime", "transformers")
OWN_LIMIT_SECONDS = 0.25
"""For the client's modules alone, without httpx; on an idle machine 0.02."""


def keys_of(model: Any) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def filled(kind: type[Any], **given: Any) -> Any:
    """An object each of whose fields has a value that is sent."""
    return kind(**{field.name: 1 for field in dataclasses.fields(kind)} | given)


def test_import_is_light() -> None:
    code = (
        "import httpx, json, sys, time\nbefore = set(sys.modules)\nstarted = time.process_time()\n"
        "import sidecar.client\nseconds = time.process_time() - started\n"
        "print(json.dumps([seconds, sorted(set(sys.modules) - before), sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, own, all_names = json.loads(done.stdout)
    assert not {name.partition(".")[0] for name in all_names} & set(HEAVY)
    assert {name for name in own if name.startswith("sidecar")} == {
        "sidecar",
        "sidecar.client",
        *(f"sidecar.client.{path.stem}" for path in (ROOT / "sidecar" / "client").glob("[a-z]*.py")),
    }
    assert seconds < OWN_LIMIT_SECONDS


def test_httpx_alone_is_enough(sidecar: Sidecar, index: str) -> None:
    python = python_with(["httpx"])
    code = (
        "import sys\nfrom sidecar.client import *\n"
        "index = SidecarClient(sys.argv[1]).index(sys.argv[2])\n"
        "index.add([{'_id': 'a', 'title': 'One.'}], AddOptions(['title'], refresh=True))\n"
        "found = index.search('One.')\nprint(found[0].id)\n"
        "try:\n    found.to_dataframe()\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [str(python), "-c", code, sidecar.url, index],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["a", "tables need pandas: pip install 'vector-sidecar[client]'"], done.stderr


def test_a_missing_httpx_is_told_with_what_to_install() -> None:
    code = "import sys; sys.modules['httpx'] = None\nimport sidecar.client"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "sidecar.client needs httpx: pip install 'vector-sidecar[client]'" in done.stderr


def test_a_search_has_every_key_of_the_wire() -> None:
    assert set(body_of(filled(Search))) == keys_of(SearchBody) - {"pointInTime", "searchAfter"}
    assert set(body_of(filled(HybridParameters))) == keys_of(HybridBody)
    assert set(body_of(filled(Recommend))) == keys_of(RecommendBody)


def test_writes_have_every_key_of_the_wire() -> None:
    update = filled(UpdateOptions, refresh=True)
    assert set(update_body([], update)) == keys_of(AddDocumentsBody)
    assert {name for name, _ in update_parameters(update)} == {"refresh", "routing", "device"}
    options = AddOptions(["a"], ["b"], {}, "p", use_existing_tensors=True, routing="r", device="cpu")
    assert {name for name, _ in stream_parameters(options)} == {
        *("tensorFields", "nonTensorFields", "mappings", "textChunkPrefix", "useExistingTensors", "routing", "device")
    }


@pytest.mark.parametrize("kind", [Search, Recommend, HybridParameters])
def test_defaults_are_those_of_the_wire(kind: type[Any]) -> None:
    model: Any = {Search: SearchBody, Recommend: RecommendBody, HybridParameters: HybridBody}[kind]
    sent = body_of(kind(*([["a"]] if kind is Recommend else ["a"] if kind is Search else [])))
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in sent and key not in ("q", "documents"):
            assert sent[key] == field.default, key


@pytest.mark.parametrize(("waiting", "awaited"), [(SidecarClient, AsyncSidecarClient), (Index, AsyncIndex)])
def test_both_clients_offer_the_same(waiting: type[Any], awaited: type[Any]) -> None:
    def offered(kind: type[Any]) -> dict[str, list[str]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(method).parameters) for name, method in methods if name[0] != "_"}

    assert offered(waiting) == offered(awaited)


def test_names_that_are_offered_are_there() -> None:
    assert sorted(sidecar.client.__all__) == sidecar.client.__all__
    assert all(hasattr(sidecar.client, name) for name in sidecar.client.__all__)
    assert (ROOT / "sidecar" / "client" / "py.typed").is_file()


def test_a_program_that_uses_the_client_is_checked_strictly() -> None:
    example = str(Path(__file__).with_name("typed_example.py"))
    options = ["--strict", "--config-file=", "--follow-imports=silent", f"--cache-dir={ROOT / '.cache' / 'mypy'}"]
    told, failed, _ = mypy.run([*options, "--explicit-package-bases", example])
    assert told.startswith("Success"), (told, failed)
