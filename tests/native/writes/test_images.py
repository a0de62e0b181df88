"""Images, and texts with images, among a request's contents."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import ImageLoader, Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.normalizing import normalized
from sidecar.errors import MediaError
from sidecar.native.declarations.declaration import Declaration, Kind, Source
from sidecar.native.declarations.processors import TextImageEmbedding
from sidecar.native.embedder import DocumentParts
from sidecar.native.errors import Refused
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import Node, Object, read
from sidecar.native.writes.declared import DocumentModel, declared_step
from sidecar.native.writes.document import Document
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.processing import processor_step
from sidecar.native.writes.steps import WriteStep
from sidecar.opensearch.transport import Transport
from tests.native.writes.written import is_vector
from tests.rooms import Rooms


@pytest.fixture
def spec(tiny_clip_properties: dict[str, Any]) -> ModelSpec:
    return ModelTable().resolve("tiny-emoji", tiny_clip_properties)


@pytest.fixture
def rooms(transport: Transport, tiny_clip: Loader) -> Any:
    with Rooms(transport, lambda spec: tiny_clip) as made:
        yield made


@pytest.fixture
def written(rooms: Rooms, spec: ModelSpec) -> Callable[[WriteStep, bytes], Any]:
    """What a document becomes by a step."""

    def write(step: WriteStep, data: bytes) -> Any:
        inputs = RequestInputs(DocumentParts(rooms.engine, rooms.media, rooms.table, "cpu"))
        root = read(data)
        assert isinstance(root, Object)
        document = Document(data, root, "id")
        step.apply(document, inputs)
        inputs.embed()
        done = apply(data, document.edits())
        return Node(0, len(done)).value(done)

    return write


def data_uri(emoji_folder: Path) -> str:
    picture = next(iter(sorted(emoji_folder.glob("*.png"))))
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def declared(spec: ModelSpec, *sources: Source) -> WriteStep:
    return declared_step(Declaration("v", sources, spec.name, spec.dimensions), DocumentModel(spec, ""))


def test_an_image_is_embedded_as_what_it_shows(
    written: Callable[[WriteStep, bytes], Any], spec: ModelSpec, tiny_clip: ImageLoader, emoji_folder: Path
) -> None:
    uri = data_uri(emoji_folder)
    found = written(declared(spec, Source("i", Kind.IMAGE)), b'{"i":"%b"}' % uri.encode())
    assert len(found["v"]) == spec.dimensions
    assert np.linalg.norm(found["v"]) == pytest.approx(1, abs=1e-4)


def test_a_text_and_an_image_make_the_mean_of_their_vectors(
    written: Callable[[WriteStep, bytes], Any], spec: ModelSpec, tiny_clip: ImageLoader, emoji_folder: Path
) -> None:
    uri = data_uri(emoji_folder)
    data = b'{"t":"a cat","i":"%b"}' % uri.encode()
    image = np.asarray(written(declared(spec, Source("i", Kind.IMAGE)), data)["v"], dtype=np.float32)
    mean = normalized(image + normalized(tiny_clip.encode_text(["a cat"]))[0])
    assert is_vector(written(declared(spec, Source("t"), Source("i", Kind.IMAGE)), data)["v"], mean)
    processor = TextImageEmbedding(spec.name, "v", "t", "i")
    step = processor_step(processor, lambda name: DocumentModel(spec, ""))
    assert is_vector(written(step, data)["v"], mean)


@pytest.mark.parametrize("pointer", ["a text", "/etc/passwd", "file:///etc/passwd"])
def test_what_is_no_image_by_its_looks_is_refused(
    written: Callable[[WriteStep, bytes], Any], spec: ModelSpec, pointer: str
) -> None:
    with pytest.raises(Refused, match=r"failed to embed field \[i\]"):
        written(declared(spec, Source("i", Kind.IMAGE)), b'{"i":"%b"}' % pointer.encode())


@pytest.mark.parametrize("pointer", ["data:image/png;base64,AAAA", "http://127.0.0.1/x.png"])
def test_an_image_that_cannot_be_had_is_told_for_its_document(
    written: Callable[[WriteStep, bytes], Any], spec: ModelSpec, pointer: str
) -> None:
    data = b'{"i":"%b"}' % pointer.encode()
    with pytest.raises(MediaError):
        written(declared(spec, Source("i", Kind.IMAGE)), data)
    processor = TextImageEmbedding(spec.name, "v", None, "i", ignore_failure=True)
    step = processor_step(processor, lambda name: DocumentModel(spec, ""))
    assert written(step, data) == {"i": pointer, "v": None}
