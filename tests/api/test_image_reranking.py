"""Searches whose hits a detector of images orders anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.embedding.media.file_server import FileServer, file
from tests.fix_clip import DATA
from tests.fix_models import quiet
from tests.fix_server import MakeClient
from tests.hub_cache import put_into_cache

Q = "a query"
PICTURES = ["1f1e7-1f1f7.png", "1f004.png", "1f30d.png", "1f31b.png"]
IMAGES = {"index_defaults": {"model": "random/small", "treat_urls_and_pointers_as_images": True}, "number_of_shards": 1}
FIELDS = ["picture", "title"]


@pytest.fixture(scope="module")
def owl_vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny OWL-ViT of random weights."""
    from tests.random_models import random_owl_vit

    with quiet():
        return random_owl_vit(tmp_path_factory.mktemp("owl") / "model")


@pytest.fixture
def without_model(make_client: MakeClient, node: str, own_hub_cache: Path, tmp_path: Path) -> FlaskClient:
    """A sidecar that may read the tests' pictures, and fetch from this machine."""
    return make_client(
        opensearch_url=node, home=tmp_path / "home", media_roots=(DATA, tmp_path), media_allow_private=True
    )


@pytest.fixture
def client(without_model: FlaskClient, own_hub_cache: Path, owl_vit: Path) -> FlaskClient:
    """The same, the model in the cache of the hub."""
    files = {path.name: path.read_bytes() for path in owl_vit.iterdir()}
    put_into_cache(own_hub_cache, "google/owlvit-base-patch32", files)
    return without_model


@pytest.fixture
def files() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


def fill(client: FlaskClient, index: str, documents: list[dict[str, Any]]) -> None:
    made = client.post(f"/indexes/{index}", json=IMAGES)
    assert made.status_code == 200, made.text
    body = {"documents": documents, "tensorFields": FIELDS}
    answered = client.post(f"/indexes/{index}/documents?refresh=true", json=body)
    assert answered.json is not None
    assert not answered.json["errors"], answered.text


def search(client: FlaskClient, index: str, **body: Any) -> Any:
    asked = {"q": Q, "searchableAttributes": FIELDS, "reRanker": "owl/ViT-B/32"} | body
    return client.post(f"/indexes/{index}/search", json=asked).json


def library_hits(folder: Path) -> list[tuple[str, float, list[float]]]:
    """Name, best score and its box of each picture, best first, by the library."""
    import torch
    from transformers import OwlViTForObjectDetection, OwlViTProcessor

    found = []
    with quiet(), torch.inference_mode():
        processor: Any = OwlViTProcessor.from_pretrained(folder)
        model: Any = OwlViTForObjectDetection.from_pretrained(folder).eval()
        for name in PICTURES:
            image = on_white(DATA / "emoji" / name)
            outputs = model(**processor(text=[[Q]], images=image, return_tensors="pt"))
            size = [(image.height, image.width)]
            (told,) = processor.post_process_grounded_object_detection(outputs, threshold=0.0, target_sizes=size)
            best = int(told["scores"].argmax())
            box = [min(max(0.0, side), float(image.width)) for side in told["boxes"][best].tolist()]
            found.append((name, float(told["scores"][best]), box))
    return sorted(found, key=lambda hit: -hit[1])


def on_white(path: Path) -> Image.Image:
    with Image.open(path) as image:
        above = image.convert("RGBA")
    below = Image.new("RGB", above.size, "white")
    below.paste(above, mask=above)
    assert below.width == below.height
    return below


def test_hits_are_ordered_by_their_best_boxes_and_those_without_image_dropped(
    client: FlaskClient, index_name: str, owl_vit: Path
) -> None:
    documents = [{"_id": name, "picture": str(DATA / "emoji" / name), "title": "An emoji."} for name in PICTURES]
    others = [{"_id": "words", "picture": "only words"}, {"_id": "none", "title": "No picture."}]
    fill(client, index_name, [*documents, *others])
    hits = search(client, index_name)["hits"]
    wanted = library_hits(owl_vit)
    assert [hit["_id"] for hit in hits] == [name for name, _, _ in wanted]
    assert [hit["_score"] for hit in hits] == pytest.approx([score for _, score, _ in wanted], abs=1e-5)
    for hit, (_, _, box) in zip(hits, wanted, strict=True):
        (highlight,) = hit["_highlights"].items()
        assert highlight[0] == "picture"
        assert json.loads(highlight[1]) == pytest.approx(box, abs=0.1)
    assert {"model_name": "owl/ViT-B/32", "model_device": "cpu"} in client.get("/models").json["models"]  # type: ignore[index]
    assert search(client, index_name, searchableAttributes=["title", "picture"])["hits"] == []


def test_hits_stay_as_they_are_where_none_has_the_field(without_model: FlaskClient, index_name: str) -> None:
    fill(without_model, index_name, [{"_id": "a", "title": "No picture."}, {"_id": "b", "title": "Nor here."}])
    plain = search(without_model, index_name, reRanker=None)["hits"]
    assert search(without_model, index_name)["hits"] == plain
    assert len(plain) == 2


def test_images_that_are_not_shown_are_fetched_with_the_headers_of_the_search(
    client: FlaskClient, index_name: str, files: FileServer
) -> None:
    names = {f"/{name}": name for name in PICTURES}
    files.answers = {path: file((DATA / "emoji" / name).read_bytes()) for path, name in names.items()}
    fill(client, index_name, [{"_id": path, "picture": files.url(path)} for path in names])
    files.requests.clear()
    answer = search(
        client, index_name, attributesToRetrieve=[], image_download_headers={"x-key": "secret"}, showHighlights=False
    )
    assert sorted(hit["_id"] for hit in answer["hits"]) == sorted(names)
    assert all(set(hit) == {"_id", "_score"} for hit in answer["hits"])
    assert sorted(path for path, _ in files.requests) == sorted(names)
    assert {headers.get("x-key") for _, headers in files.requests} == {"secret"}


def test_image_that_can_not_be_read_any_more_is_a_bad_request(
    client: FlaskClient, index_name: str, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.png"
    gone.write_bytes((DATA / "emoji" / PICTURES[0]).read_bytes())
    fill(client, index_name, [{"_id": "a", "picture": str(gone)}])
    gone.unlink()
    answer = search(client, index_name)
    assert answer["code"] == "bad_request"
    assert answer["message"].startswith("reranking failure due to ")
    assert str(gone) in answer["message"]


def test_model_that_can_not_be_had_is_a_bad_request(without_model: FlaskClient, index_name: str) -> None:
    fill(without_model, index_name, [{"_id": "a", "picture": str(DATA / "emoji" / PICTURES[0])}])
    answer = search(without_model, index_name, reRanker="owl/ViT-L/14")
    assert answer["code"] == "bad_request"
    assert answer["message"].startswith("reranking failure due to model 'google/owlvit-large-patch14' can't be had")
