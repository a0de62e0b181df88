"""Documents that point to images, on a real node: what is embedded, what is kept, and what fails alone."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.engine import EngineLimits
from sidecar.embedding.loader import Embeddings, Loader, Modality, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.media.reader import MediaRules
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.normalizing import normalized
from sidecar.errors import BadRequest
from sidecar.indexing.requests import AddDocuments, CustomVector, MultimodalCombination
from sidecar.opensearch.embedded_paths import ROOT, nested_path
from sidecar.opensearch.index_settings import AnnParameters, FieldModel, ImagePreprocessing, IndexSettings
from sidecar.opensearch.transport import Transport
from tests.embedding.media.file_server import FileServer, file, redirect
from tests.rooms import SETTINGS, Rooms

RIGHT = RandomLoader(32)
IMAGES = replace(SETTINGS, treat_urls_and_pointers_as_images=True)


class PlugInLoader(RandomLoader):
    """Embeds files whose name ends in `.notes`, a part for each line, and no text and no image."""

    modalities = frozenset({Modality.MEDIA})
    media_suffixes = frozenset({".notes"})

    def prepare_media(self, content: bytes, name: str) -> list[Prepared]:
        if not content:
            raise ValueError("the file is empty")
        return [Prepared(line, 1) for line in content.splitlines()]

    def run_media(self, batch: Sequence[Prepared]) -> Embeddings:
        return self._run(batch)


class TextLoader(RandomLoader):
    modalities = frozenset({Modality.TEXT})


LOADERS: dict[str, type[RandomLoader]] = {"random/small": RandomLoader, "plug-in": PlugInLoader, "texts": TextLoader}


def load(spec: ModelSpec) -> Loader:
    return LOADERS[spec.name](spec.dimensions)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of four small pictures, all different, `0.png` to `3.png`."""
    for number in range(4):
        Image.new("RGB", (60, 40), (60 * number, 200 - 40 * number, 10)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def server(pictures: Path) -> Iterator[FileServer]:
    """Serves the pictures under names without an ending."""
    with FileServer() as running:
        for number in range(4):
            running.answers[f"/{number}"] = file((pictures / f"{number}.png").read_bytes())
        yield running


@pytest.fixture
def media(transport: Transport, pictures: Path) -> Iterator[Rooms]:
    """Rooms that may read the pictures, and fetch from this machine."""
    with Rooms(transport, load, media=MediaRules(roots=(pictures,), allow_private=True)) as made:
        yield made


@pytest.fixture
def index(media: Rooms, index_name: str) -> str:
    """An empty image index of the model random/small."""
    return media.create(index_name, IMAGES)


def vectors(rooms: Rooms, index: str, document_id: str, field: str = "image") -> Embeddings:
    """The stored vectors of a field."""
    chunks = rooms.stored(index, document_id)[ROOT][field]
    return np.array([chunk["vector"] for chunk in chunks], dtype=np.float32)


def add(rooms: Rooms, index: str, documents: Sequence[object], **others: Any) -> list[dict[str, Any]]:
    """Add documents whose field `image` is a tensor field."""
    return rooms.send(index, replace(AddDocuments(documents, ("image", "text", "combo"), None), **others))


def image_vector(path: Path) -> Embeddings:
    with Image.open(path) as image:
        return RIGHT.encode_image([image.convert("RGB")])[0]


def own_model(name: str) -> IndexSettings:
    properties = {"name": name, "dimensions": 32, "type": "random"}
    return replace(
        IMAGES, model=name, model_properties=properties, search_model=name, search_model_properties=properties
    )


# What is embedded


def test_an_image_is_one_chunk_whose_content_is_its_pointer(
    media: Rooms, index: str, pictures: Path, server: FileServer
) -> None:
    content = base64.b64encode((pictures / "2.png").read_bytes()).decode()
    pointers = {
        "url": (server.url("/0"), "0.png"),
        "path": (str(pictures / "1.png"), "1.png"),
        "base64": (content, "2.png"),
        "data": (f"data:image/png;base64,{content}", "2.png"),
    }
    items = add(media, index, [{"_id": key, "image": pointer} for key, (pointer, _) in pointers.items()])
    assert [item.get("error") for item in items] == [None] * 4
    for key, (pointer, name) in pointers.items():
        stored = media.stored(index, key)
        (chunk,) = stored[ROOT]["image"]
        np.testing.assert_allclose(chunk["vector"], image_vector(pictures / name), atol=1e-6)
        assert (chunk["start"], chunk["end"]) == (0, len(pointer))
        assert "content" not in chunk
        assert stored["image"] == pointer
    declared = media.states.get(index, is_fresh=True).meta["sidecar"]["fields"]
    assert declared["__embeddings.image.vector"]["kind"] == "image"


def test_other_strings_of_an_image_index_are_text(media: Rooms, index: str) -> None:
    text = "See http://example.com/a.png for it. It is nice. So it is."
    add(media, index, [{"_id": "1", "image": text}])
    wanted = RIGHT.encode_text(["See http://example.com/a.png for it. It is nice.", "So it is."])
    np.testing.assert_allclose(vectors(media, index, "1"), wanted, atol=1e-6)


def test_pointers_are_text_where_the_index_has_no_images(media: Rooms, index_name: str) -> None:
    media.create(index_name, SETTINGS)
    add(media, index_name, [{"_id": "1", "image": "http://127.0.0.1:9/nothing.png"}])
    wanted = RIGHT.encode_text(["http://127.0.0.1:9/nothing.png"])
    np.testing.assert_allclose(vectors(media, index_name, "1"), wanted, atol=1e-6)


def test_fields_that_are_not_embedded_are_not_fetched(media: Rooms, index: str, server: FileServer) -> None:
    add(media, index, [{"_id": "1", "other": server.url("/0"), "text": "A."}])
    assert server.requests == []


def test_each_url_is_fetched_once_a_request_with_the_headers_given(
    media: Rooms, index: str, server: FileServer
) -> None:
    documents = [{"_id": f"{n}", "image": server.url(f"/{n % 2}")} for n in range(100)]
    items = add(media, index, documents, media_headers={"X-Key": "secret"})
    assert {item["status"] for item in items} == {201}
    assert sorted(path for path, _ in server.requests) == ["/0", "/1"]
    assert {headers["x-key"] for _, headers in server.requests} == {"secret"}


def test_an_image_in_parts_has_a_box_for_each(media: Rooms, index_name: str, pictures: Path) -> None:
    media.create(index_name, replace(IMAGES, image_preprocessing=ImagePreprocessing("simple?hn=2&wn=2")))
    pointer = str(pictures / "0.png")
    add(media, index_name, [{"_id": "1", "image": pointer, "text": "A text."}])
    chunks = media.stored(index_name, "1")[ROOT]["image"]
    boxes = ["[0, 0, 60, 40]", "[0, 0, 30, 20]", "[30, 0, 60, 20]", "[0, 20, 30, 40]", "[30, 20, 60, 40]"]
    assert [chunk["content"] for chunk in chunks] == [box.replace(",", ".0,").replace("]", ".0]") for box in boxes]
    assert {(chunk["start"], chunk["end"]) for chunk in chunks} == {(0, len(pointer))}
    assert media.cluster.count(index_name, [nested_path("image"), nested_path("text")]) == (1, 6)


def test_a_combination_of_text_and_image_is_their_weighted_mean(media: Rooms, index: str, pictures: Path) -> None:
    mappings = {"combo": MultimodalCombination({"title": 0.3, "picture": 0.7})}
    combo = {"title": "A title.", "picture": str(pictures / "3.png")}
    add(media, index, [{"_id": "1", "combo": combo}], mappings=mappings)
    wanted = normalized(0.5 * (0.3 * RIGHT.encode_text(["A title."])[0] + 0.7 * image_vector(pictures / "3.png")))
    np.testing.assert_allclose(vectors(media, index, "1", "combo")[0], wanted, atol=1e-6)
    assert media.reader.get(index, "1") == {"_id": "1", "combo": combo}


def test_images_of_an_index_of_bytes_are_whole_numbers(media: Rooms, index_name: str, pictures: Path) -> None:
    media.create(index_name, replace(IMAGES, ann_parameters=AnnParameters(data_type="byte")))
    add(media, index_name, [{"_id": "1", "image": str(pictures / "0.png")}])
    (chunk,) = media.stored(index_name, "1")[ROOT]["image"]
    assert all(isinstance(number, int) for number in chunk["vector"])
    assert max(map(abs, chunk["vector"])) == 127


def test_fields_of_an_image_index_have_models_of_their_own(media: Rooms, index_name: str, pictures: Path) -> None:
    text_model = FieldModel("texts", {"name": "texts", "dimensions": 16, "type": "random"})
    media.create(index_name, replace(IMAGES, field_models={"text": text_model}))
    pointer = str(pictures / "0.png")
    documents = [{"_id": "1", "image": pointer, "text": "A text."}, {"_id": "2", "image": "A text.", "text": pointer}]
    items = add(media, index_name, documents)
    assert [item["status"] for item in items] == [201, 400]
    assert "'texts' does not embed images" in items[1]["error"]
    assert vectors(media, index_name, "1", "text").shape == (1, 16)


# Plug-ins


def test_files_of_a_plug_in_are_embedded_in_its_parts(media: Rooms, index_name: str, pictures: Path) -> None:
    media.create(index_name, own_model("plug-in"))
    (pictures / "a.notes").write_bytes(b"one\ntwo\nthree")
    (pictures / "empty.notes").write_bytes(b"")
    pointers = ["a.notes", "empty.notes", "0.png"]
    documents = [{"_id": f"{n}", "image": str(pictures / pointer)} for n, pointer in enumerate(pointers)]
    items = add(media, index_name, [*documents, {"_id": "text", "image": "Only a text."}])
    assert [item["status"] for item in items] == [201, 400, 400, 400]
    assert "the file is empty" in items[1]["error"]
    assert "does not embed images" in items[2]["error"]
    assert "does not embed" in items[3]["error"]
    wanted = RIGHT.run_text([Prepared(line, 1) for line in (b"one", b"two", b"three")])
    np.testing.assert_allclose(vectors(media, index_name, "0"), wanted, atol=1e-6)


# What is kept


def test_images_are_read_again_unless_the_request_says_they_are_the_same(
    media: Rooms, index: str, server: FileServer, pictures: Path
) -> None:
    document = {"_id": "1", "image": server.url("/0"), "combo": {"picture": server.url("/1")}}
    mappings = {"combo": MultimodalCombination({"picture": 1.0})}
    add(media, index, [document], mappings=mappings)
    before = media.stored(index, "1")[ROOT]
    server.answers["/0"] = server.answers["/1"] = server.answers["/2"]
    add(media, index, [document | {"n": 1}], mappings=mappings, use_existing_tensors=True)
    stored = media.stored(index, "1")
    assert (stored["n"], stored[ROOT]) == (1, before)
    assert len(server.requests) == 2
    add(media, index, [document], mappings=mappings)
    np.testing.assert_allclose(vectors(media, index, "1")[0], image_vector(pictures / "2.png"), atol=1e-6)
    assert len(server.requests) == 4


def test_boxes_are_kept_with_their_vectors(media: Rooms, index_name: str, pictures: Path) -> None:
    media.create(index_name, replace(IMAGES, image_preprocessing=ImagePreprocessing("simple?hn=2&wn=1")))
    document = {"_id": "1", "image": str(pictures / "0.png")}
    add(media, index_name, [document])
    before = media.stored(index_name, "1")[ROOT]
    add(media, index_name, [document | {"n": 1}], use_existing_tensors=True)
    assert media.stored(index_name, "1")[ROOT] == before
    assert media.embedded_texts == 3


def test_an_image_in_the_document_itself_is_embedded_once(media: Rooms, index: str, pictures: Path) -> None:
    content = base64.b64encode((pictures / "0.png").read_bytes()).decode()
    document = {"_id": "1", "image": f"data:image/png;base64,{content}"}
    for number in range(2):
        add(media, index, [document | {"n": number}])
    assert media.embedded_texts == 1


# What fails alone


def test_bad_images_fail_alone_and_name_their_pointer_and_the_reason(
    media: Rooms, index: str, server: FileServer, pictures: Path
) -> None:
    server.answers["/text"] = file(b"no image at all")
    (pictures / "broken.png").write_bytes((pictures / "0.png").read_bytes()[:60])
    bad = {
        server.url("/gone"): "404",
        server.url("/text"): "",
        str(pictures / "broken.png"): "",
        "/etc/passwd.png": "SIDECAR_MEDIA_ROOTS",
        str(pictures / "missing.png"): "",
        "http://127.0.0.1:9/closed.png": "",
    }
    documents: list[dict[str, Any]] = []
    for number, pointer in enumerate(bad):
        documents += [{"_id": f"good {number}", "image": server.url("/0")}, {"_id": f"bad {number}", "image": pointer}]
    items = add(media, index, documents)
    assert [item["status"] for item in items] == [201, 400] * len(bad)
    for item, (pointer, reason) in zip(items[1::2], bad.items(), strict=True):
        assert item["code"] == "invalid_argument"
        assert pointer in item["error"]
        assert reason in item["error"]
    assert media.cluster.count(index, []) == (len(bad), 0)


def test_private_addresses_are_refused_unless_the_operator_allows_them(
    transport: Transport, index_name: str, server: FileServer
) -> None:
    server.answers["/away"] = redirect(server.url("/0"))
    with Rooms(transport, load) as rooms:
        rooms.create(index_name, IMAGES)
        documents = [{"_id": "1", "image": server.url("/0")}, {"_id": "2", "image": "A text."}]
        items = add(rooms, index_name, documents)
    assert [item["status"] for item in items] == [400, 201]
    assert "SIDECAR_MEDIA_ALLOW_PRIVATE" in items[0]["error"]
    assert server.requests == []


def test_a_document_of_a_bad_image_leaves_what_was_stored_before(media: Rooms, index: str, pictures: Path) -> None:
    good = {"_id": "1", "image": str(pictures / "0.png")}
    add(media, index, [good])
    mappings = {"combo": MultimodalCombination({"a": 1.0, "b": 1.0})}
    bad = {"_id": "1", "combo": {"a": "A text.", "b": str(pictures / "missing.png")}}
    assert [item["status"] for item in add(media, index, [bad], mappings=mappings)] == [400]
    assert media.reader.get(index, "1") == good


def test_a_model_of_text_alone_takes_no_image(media: Rooms, index_name: str, pictures: Path) -> None:
    media.create(index_name, own_model("texts"))
    documents = [{"_id": "1", "image": str(pictures / "0.png")}, {"_id": "2", "image": "A text."}]
    items = add(media, index_name, documents)
    assert [item["status"] for item in items] == [400, 201]
    assert "'texts' does not embed images" in items[0]["error"]


def test_the_id_is_no_tensor_field_of_an_image_index(media: Rooms, index: str, index_name: str) -> None:
    with pytest.raises(BadRequest, match="'_id'"):
        add(media, index, [{"_id": "1", "image": "A."}], tensor_fields=("_id", "image"))
    media.cluster.delete_index(index_name)
    media.create(index_name, SETTINGS)
    assert add(media, index, [{"_id": "1", "image": "A."}], tensor_fields=("_id", "image"))[0]["status"] == 201


def test_custom_vectors_stand_beside_images(media: Rooms, index: str, pictures: Path) -> None:
    mappings = {"combo": CustomVector()}
    document = {"_id": "1", "image": str(pictures / "0.png"), "combo": {"vector": [1.0, *[0.0] * 31]}}
    assert add(media, index, [document], mappings=mappings)[0]["status"] == 201
    assert set(media.stored(index, "1")[ROOT]) == {"image", "combo"}


# Many images


def test_few_images_are_on_their_way_however_many_there_are(
    transport: Transport, index_name: str, pictures: Path
) -> None:
    prepared, may_run = threading.Semaphore(0), threading.Event()

    class Held(RandomLoader):
        """Counts the images that are prepared, and embeds none until it may."""

        def prepare_image(self, image: Image.Image) -> Prepared:
            prepared.release()
            return super().prepare_image(image)

        def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
            assert may_run.wait(timeout=30)
            return super().run_image(batch)

    names = [f"copy-{number}.png" for number in range(400)]
    for name in names:
        (pictures / name).symlink_to(pictures / "0.png")
    limits = EngineLimits(threads=1, queue_texts=4096, query_vectors=1)
    rules = MediaRules(roots=(pictures,), threads=4)
    with Rooms(transport, lambda spec: Held(32), limits=limits, media=rules) as rooms:
        rooms.create(index_name, IMAGES)
        documents = [{"_id": name, "image": str(pictures / name)} for name in names]
        adding = threading.Thread(target=add, args=(rooms, index_name, documents))
        adding.start()
        try:
            for _ in range(96):
                assert prepared.acquire(timeout=30)
            assert not prepared.acquire(timeout=0.5), "the 97th image is read when the first ones are embedded"
        finally:
            may_run.set()
            adding.join(timeout=60)
        assert rooms.cluster.count(index_name, [nested_path("image")]) == (400, 400)
