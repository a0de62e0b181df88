"""Pictures found by text, texts by picture and pictures by picture: a trained CLIP, HTTP and a real node."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.loader import Embeddings, ImageLoader, Loader
from sidecar.embedding.normalizing import normalized
from tests.embedding.media.file_server import FileServer, file
from tests.fix_clip import DATA, TINY_CLIP, read_captions, read_pictures
from tests.fix_models import MINILM
from tests.fix_server import Sidecar

RECALL_FLOOR = 0.97
"""Of the ten nearest pictures; comparing all vectors gives 1.0 for these 300 (tests/data/tiny-clip/README.md)."""
NAMES = "names"
Q = str | Mapping[str, float] | None


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory,
    clip_models_folder: Path,
    models_folder: Path,
    tiny_clip: ImageLoader,
    minilm: Loader,
) -> Path:
    """A home in which the tiny CLIP and a text model are converted already."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").mkdir()
    converted = {folder.name: folder for parent in (clip_models_folder, models_folder) for folder in parent.iterdir()}
    for name, folder in converted.items():
        (home / "models" / name).symlink_to(folder, target_is_directory=True)
    return home


@pytest.fixture(scope="module")
def server(node: str, home: Path) -> Iterator[Sidecar]:
    """A sidecar that may read the tests' pictures, and fetch from this machine."""
    environment = {
        "OPENSEARCH_URL": node,
        "SIDECAR_HOME": str(home),
        "SIDECAR_MEDIA_ROOTS": json.dumps([str(DATA)]),
        "SIDECAR_MEDIA_ALLOW_PRIVATE": "true",
        "SIDECAR_MAX_ADD_DOCUMENTS": "1000",
    }
    with Sidecar(environment) as running:
        yield running


def settings(properties: dict[str, Any], **others: Any) -> dict[str, Any]:
    """An image index of that model."""
    defaults = {"model": "tiny-emoji", "model_properties": properties, "treat_urls_and_pointers_as_images": True}
    return {"index_defaults": {**defaults, **others}, "number_of_shards": 1}


@pytest.fixture(scope="module")
def gallery(server: Sidecar, emoji_folder: Path, tiny_clip_properties: dict[str, Any]) -> Iterator[str]:
    """An index of the 300 pictures, by their paths, with their names as text that is not embedded."""
    name = f"gallery-{uuid.uuid4().hex[:8]}"
    assert server.post(f"/indexes/{name}", settings(tiny_clip_properties)).status_code == 200
    documents = [
        {"_id": caption["file"], "picture": str(emoji_folder / caption["file"]), "name": caption["name"]}
        for caption in read_captions(emoji_folder)
    ]
    answer = server.add(name, documents, tensor_fields=("picture",))
    assert answer["errors"] is False, answer
    yield name
    server.delete(f"/indexes/{name}")


@pytest.fixture(scope="module")
def pictures(tiny_clip: ImageLoader, emoji_folder: Path) -> dict[str, Embeddings]:
    """The vector of each picture by its file's name, without any part of the sidecar but the model."""
    vectors = normalized(tiny_clip.encode_image(read_pictures(emoji_folder)))
    return dict(zip((caption["file"] for caption in read_captions(emoji_folder)), vectors, strict=True))


@pytest.fixture
def image_index(server: Sidecar, index_name: str, tiny_clip_properties: dict[str, Any]) -> str:
    assert server.post(f"/indexes/{index_name}", settings(tiny_clip_properties)).status_code == 200
    return index_name


def search(server: Sidecar, index: str, q: Q, **others: Any) -> list[dict[str, Any]]:
    answered = server.post(f"/indexes/{index}/search", {"q": q, **others})
    assert answered.status_code == 200, answered.text
    hits: list[dict[str, Any]] = answered.json()["hits"]
    return hits


def found(server: Sidecar, index: str, q: Q, **others: Any) -> list[str]:
    return [hit["_id"] for hit in search(server, index, q, attributesToRetrieve=[], **others)]


def nearest(pictures: Mapping[str, Embeddings], query: Embeddings, count: int = 5) -> list[str]:
    """By comparing all vectors."""
    query = normalized(np.asarray(query, dtype=np.float32))
    return sorted(pictures, key=lambda name: -float(pictures[name] @ query))[:count]


def test_pictures_are_found_by_their_names(
    server: Sidecar, gallery: str, emoji_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = read_captions(emoji_folder)
    ranks = []
    for caption in captions:
        hits = found(server, gallery, caption["name"], limit=10, showHighlights=False)
        ranks.append(hits.index(caption["file"]) if caption["file"] in hits else 10)
    at_1, at_10 = (sum(rank < top for rank in ranks) / len(ranks) for top in (1, 10))
    with capsys.disabled():
        print(f"\ntext to picture, {len(ranks)} pictures: recall@1 {at_1:.3f}, recall@10 {at_10:.3f}")
    assert at_10 >= RECALL_FLOOR


def test_a_picture_finds_itself_and_its_like(
    server: Sidecar, gallery: str, emoji_folder: Path, pictures: dict[str, Embeddings]
) -> None:
    for name in ("1f642.png", "1f335.png", "1f3d2.png"):
        hits = search(server, gallery, str(emoji_folder / name), limit=5)
        assert [hit["_id"] for hit in hits] == nearest(pictures, pictures[name])
        assert hits[0]["_score"] == pytest.approx(1, abs=1e-5)
        assert hits[0]["_highlights"] == {"picture": str(emoji_folder / name)}


def test_a_picture_may_be_asked_for_as_data_base64_or_url(server: Sidecar, gallery: str, emoji_folder: Path) -> None:
    content = (emoji_folder / "1f335.png").read_bytes()
    text = base64.b64encode(content).decode()
    tokens: list[str | None] = []
    give = file(content)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        tokens.append(handler.headers["X-Token"])
        give(handler)

    with FileServer() as files:
        files.answers["/cactus"] = answer
        url = files.url("/cactus")
        for pointer in (text, f"data:image/png;base64,{text}", url):
            assert found(server, gallery, pointer, limit=1) == ["1f335.png"]
        search(server, gallery, url, image_download_headers={"X-Token": "mine"})
        search(server, gallery, {url: 1, "cactus": 1}, image_download_headers={"X-Token": "mine"})
    assert tokens == [None, "mine", "mine"]


def test_files_of_a_mixture_are_fetched_side_by_side(server: Sidecar, gallery: str, emoji_folder: Path) -> None:
    give = file((emoji_folder / "1f335.png").read_bytes())
    together = threading.Barrier(3)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        together.wait(timeout=2)
        give(handler)

    with FileServer() as files:
        files.answers |= dict.fromkeys(("/a", "/b", "/c"), answer)
        q = {files.url(path): 1.0 for path in files.answers}
        assert found(server, gallery, q, limit=1) == ["1f335.png"]


def test_a_mixture_of_texts_pictures_and_vectors_is_their_weighted_mean(
    server: Sidecar, gallery: str, emoji_folder: Path, pictures: dict[str, Embeddings], tiny_clip: ImageLoader
) -> None:
    text, picture, other = "cactus", str(emoji_folder / "1f642.png"), pictures["1f3d2.png"]
    vector = normalized(tiny_clip.encode_text([text]))[0]
    for weights in ((1.0, 1.0, 0.0), (1.0, -0.5, 0.2), (0.2, 1.0, 0.7)):
        mean = weights[0] * vector + weights[1] * pictures["1f642.png"] + weights[2] * other
        context = {"tensor": [{"vector": other.tolist(), "weight": weights[2]}]}
        hits = found(server, gallery, {text: weights[0], picture: weights[1]}, context=context, limit=5)
        assert hits == nearest(pictures, mean)


def test_texts_are_found_by_picture(server: Sidecar, image_index: str, emoji_folder: Path) -> None:
    captions = read_captions(emoji_folder)
    documents = [{"_id": caption["file"], "name": caption["name"]} for caption in captions]
    server.add(image_index, documents, tensor_fields=("name",))
    asked = captions[::10]
    hits = [found(server, image_index, str(emoji_folder / caption["file"]), limit=10) for caption in asked]
    assert sum(caption["file"] in own for caption, own in zip(asked, hits, strict=True)) / len(asked) >= RECALL_FLOOR


def test_a_filter_narrows_pictures(server: Sidecar, gallery: str) -> None:
    hits = search(server, gallery, "a face", filter="name:cactus", limit=5)
    assert [hit["name"] for hit in hits] == ["cactus"]


def test_an_image_that_can_not_be_had_fails_the_query_by_name(
    server: Sidecar, gallery: str, emoji_folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.png"
    Image.new("RGB", (8, 8)).save(outside)
    with FileServer() as files:
        for pointer in (
            files.url("/missing.png"),
            str(outside),
            str(emoji_folder / "none.png"),
            str(TINY_CLIP / "x.gif"),
        ):
            for q in (pointer, {"cactus": 1, pointer: 1}):
                answered = server.post(f"/indexes/{gallery}/search", {"q": q})
                assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
                assert pointer in answered.json()["message"]


def test_patches_are_highlighted_by_their_boxes(
    server: Sidecar, index_name: str, emoji_folder: Path, tiny_clip_properties: dict[str, Any], tmp_path: Path
) -> None:
    """A picture of four: each quarter is found by its own name, and is the highlight."""
    own = settings(tiny_clip_properties, image_preprocessing={"patch_method": "simple?hn=2&wn=2"})
    assert server.post(f"/indexes/{index_name}", own).status_code == 200
    quarters = {"cactus": (0, 0), "pizza": (1, 0), "umbrella": (0, 1), "slightly smiling face": (1, 1)}
    files = {caption["name"]: caption["file"] for caption in read_captions(emoji_folder)}
    together = Image.new("RGB", (160, 160), "white")
    for name, (column, row) in quarters.items():
        with Image.open(emoji_folder / files[name]) as picture:
            together.paste(picture.convert("RGB").resize((80, 80)), (80 * column, 80 * row))
    together.save(tmp_path / "four.png")
    data = base64.b64encode((tmp_path / "four.png").read_bytes()).decode()
    documents = [{"_id": "1", "picture": f"data:image/png;base64,{data}"}]
    assert server.add(index_name, documents, tensor_fields=("picture",))["errors"] is False
    for name, (column, row) in quarters.items():
        (hit,) = search(server, index_name, name, attributesToRetrieve=[])
        box = [80.0 * column, 80.0 * row, 80.0 * (column + 1), 80.0 * (row + 1)]
        assert json.loads(hit["_highlights"]["picture"]) == box, name


def test_combinations_and_custom_vectors_are_found_and_highlighted(
    server: Sidecar, image_index: str, emoji_folder: Path, pictures: dict[str, Embeddings]
) -> None:
    both = {"text": "cactus", "image": str(emoji_folder / "1f335.png")}
    body = {
        "documents": [
            {"_id": "both", "both": both},
            {"_id": "own", "own": {"content": "a stick", "vector": pictures["1f3d2.png"].tolist()}},
        ],
        "tensorFields": ["both", "own"],
        "mappings": {
            "both": {"type": "multimodal_combination", "weights": {"text": 0.5, "image": 1}},
            "own": {"type": "custom_vector"},
        },
    }
    answered = server.post(f"/indexes/{image_index}/documents?refresh=true", body)
    assert answered.json()["errors"] is False, answered.text
    (first, _) = search(server, image_index, "cactus")
    assert first["_id"] == "both"
    # The cluster gives an object's keys in an order of its own.
    assert json.loads(first["_highlights"]["both"]) == first["both"] == both
    (first, _) = search(server, image_index, str(emoji_folder / "1f3d2.png"))
    assert (first["_id"], first["_highlights"]) == ("own", {"own": "a stick"})
    assert first["_score"] == pytest.approx(1, abs=1e-5)


def test_fields_of_a_text_model_are_left_out_when_a_picture_is_asked_for(
    server: Sidecar, index_name: str, emoji_folder: Path, tiny_clip_properties: dict[str, Any]
) -> None:
    models = {NAMES: {"model": MINILM}}
    answered = server.post(f"/indexes/{index_name}", settings(tiny_clip_properties, field_models=models))
    assert answered.status_code == 200, answered.text
    picture = str(emoji_folder / "1f335.png")
    documents = [{"_id": "picture", "picture": picture}, {"_id": "text", NAMES: "prickly plants of the desert"}]
    assert server.add(index_name, documents, tensor_fields=("picture", NAMES))["errors"] is False
    assert found(server, index_name, picture) == ["picture"]
    assert sorted(found(server, index_name, "cactus")) == ["picture", "text"]
    refused = server.post(f"/indexes/{index_name}/search", {"q": picture, "searchableAttributes": [NAMES]})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument")
    assert "does not embed images" in refused.json()["message"]


def test_an_image_pointer_is_text_in_a_text_index(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "http://a.example/x.png"}])
    (hit,) = search(sidecar, index, "http://a.example/x.png")
    assert hit["_score"] == pytest.approx(1, abs=1e-5)
