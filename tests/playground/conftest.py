"""A sidecar in this process for the pages of the playground, with an index of texts and one of pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sidecar.embedding.loader import ImageLoader
from tests.fix_clip import DATA, read_captions
from tests.served_app import served

TEXTS = "playground-texts"
PICTURES = "playground-pictures"
KEY = "a key with ü"
SHOWN = ("black cat", "leopard", "green heart", "bell", "baby chick", "pizza", "flying saucer", "banana")
"""The names of the emoji in the index of pictures."""

DOCUMENTS: list[dict[str, Any]] = [
    {
        "_id": "leave",
        "title": "Close your account",
        "body": "Go to Settings, then Account. Choose Close. All that is stored is deleted. Come back at any time.",
        "topic": "account",
        "minutes": 5,
    },
    {
        "_id": "sign-in",
        "title": "Reset your password",
        "body": "Choose Forgotten on the sign-in page. A link comes by mail. It is good for one hour. Or ask again.",
        "topic": "account",
        "minutes": 2,
    },
    {
        "_id": "invoice",
        "title": "Get an invoice",
        "body": 'Each payment has its invoice under Billing. It\'s sent by mail on request. <b>Nobody</b> asks "why".',
        "topic": "money & bills",
        "minutes": 3,
    },
    *(
        {"_id": f"more-{number}", "title": f"Further question {number}", "topic": "others", "minutes": 10 + number}
        for number in range(12)
    ),
]


def emoji() -> list[dict[str, Any]]:
    """The captions of the emoji in the index of pictures."""
    captions = {caption["name"]: caption for caption in read_captions(DATA / "emoji")}
    return [captions[name] for name in SHOWN]


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def fill(url: str, index: str, defaults: dict[str, Any], documents: list[dict[str, Any]], fields: list[str]) -> None:
    """Make the index, with documents that searches see."""
    made = requests.post(f"{url}/indexes/{index}", json={"index_defaults": defaults, "number_of_shards": 1}, timeout=60)
    assert made.status_code == 200, made.text
    body = {"documents": documents, "tensorFields": fields}
    added = requests.post(f"{url}/indexes/{index}/documents?refresh=true", json=body, timeout=60)
    assert added.json()["errors"] is False, added.text


@pytest.fixture(scope="module")
def site(
    node: str, tmp_path_factory: pytest.TempPathFactory, clip_models_folder: Path, tiny_clip: ImageLoader
) -> Iterator[str]:
    """The URL of a sidecar that may read the tests' pictures, with the tiny CLIP converted."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(clip_models_folder, target_is_directory=True)
    with served(opensearch_url=node, home=home, media_roots=(DATA,)) as url:
        yield url


@pytest.fixture(scope="module")
def texts(site: str) -> Iterator[str]:
    """An index of texts, whose title and body are embedded."""
    fill(site, TEXTS, {"model": "random/small"}, DOCUMENTS, ["title", "body"])
    yield TEXTS
    requests.delete(f"{site}/indexes/{TEXTS}", timeout=60)


@pytest.fixture(scope="module")
def pictures(site: str, tiny_clip_properties: dict[str, Any]) -> Iterator[str]:
    """An index of emoji: the first as the path of a file of the server's, the others as data."""
    properties = {"model": "tiny-emoji", "model_properties": tiny_clip_properties}
    documents = [
        {
            "_id": caption["file"],
            "name": caption["name"],
            "picture": str(DATA / "emoji" / caption["file"])
            if number == 0
            else data_url(DATA / "emoji" / caption["file"]),
        }
        for number, caption in enumerate(emoji())
    ]
    fill(site, PICTURES, {**properties, "treat_urls_and_pointers_as_images": True}, documents, ["picture"])
    yield PICTURES
    requests.delete(f"{site}/indexes/{PICTURES}", timeout=60)
