"""The Python examples of the model page, as they are printed, sent by the client that they are written for."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fix_server import Sidecar

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = [block for block in BLOCKS if "mq.create_index" in block]

MISSION_MODELS = (
    "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6",
    "onnx/all_datasets_v4_MiniLM-L6",
    "ViT-L/14",
    "open_clip/ViT-H-14/laion2b_s32b_b79k",
    "onnx32/openai/ViT-L/14",
    "onnx32/open_clip/ViT-L-14-336/openai",
    "unique-model-alias",
)


@pytest.fixture
def no_indexes_left(sidecar: Sidecar) -> Iterator[None]:
    yield
    for name in ("my-index", "my-generic-model-index"):
        sidecar.delete(f"/indexes/{name}")


def test_the_page_has_an_example_for_each_kind_of_model() -> None:
    assert len(EXAMPLES) >= len(MISSION_MODELS)
    assert [name for name in MISSION_MODELS if not any(f'"model": "{name}"' in block for block in EXAMPLES)] == []


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_makes_its_index(number: int, sidecar: Sidecar, client_python: Path, no_indexes_left: None) -> None:
    program = f"import marqo\nmq = marqo.Client(url={sidecar.url!r})\n{EXAMPLES[number]}\nprint(response)"
    done = subprocess.run([str(client_python), "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.search(r"create_index\(\"([\w-]+)\"", EXAMPLES[number])
    assert found
    wanted = {"acknowledged": True, "shards_acknowledged": True, "index": found[1]}
    assert str(wanted) in done.stdout
    (model,) = re.findall(r'^        "model": "(.+)",$', EXAMPLES[number], re.MULTILINE)
    assert sidecar.get(f"/indexes/{found[1]}/settings").json()["index_defaults"]["model"] == model
