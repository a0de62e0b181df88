import base64
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sidecar.embedding.engine import BULK_NICENESS
from sidecar.embedding.loader import Modality, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media.reader import MediaReader, MediaRules
from sidecar.embedding.processors import available_processors
from sidecar.errors import InvalidArgument, MediaError
from tests.embedding.media.file_server import FileServer, file, status

TIMEOUT = 20


class LabelledLoader(RandomLoader):
    """Keeps what it is given; of other files it makes a part of each line."""

    media_suffixes = frozenset({".txt3d"})

    def __init__(self) -> None:
        super().__init__(8)
        self.images: list[Image.Image] = []
        self.threads: list[tuple[str, int]] = []

    def prepare_image(self, image: Image.Image) -> Prepared:
        self.images.append(image)
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 0
        self.threads.append((threading.current_thread().name, niceness))
        return super().prepare_image(image)

    def prepare_media(self, content: bytes, name: str) -> list[Prepared]:
        if not content.startswith(b"3d"):
            raise ValueError("it does not begin with '3d'")
        return [Prepared((name, line), 1) for line in content.splitlines()]


class GatedLoader(RandomLoader):
    """Waits in every image until the gate opens, and counts how many are in it at once."""

    def __init__(self) -> None:
        super().__init__(8)
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.most = self._inside = 0
        self._lock = threading.Lock()

    def prepare_image(self, image: Image.Image) -> Prepared:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.entered.release()
        assert self.gate.wait(TIMEOUT)
        with self._lock:
            self._inside -= 1
        return super().prepare_image(image)


@pytest.fixture
def photo(photos_folder: Path) -> bytes:
    return (photos_folder / "cat.jpg").read_bytes()


@pytest.fixture
def rules(photos_folder: Path) -> MediaRules:
    return MediaRules(roots=(photos_folder,), allow_private=True, threads=4)


@pytest.fixture
def reader(rules: MediaRules) -> Iterator[MediaReader]:
    opened = MediaReader(rules)
    yield opened
    opened.close()


@pytest.fixture
def server(photo: bytes) -> Iterator[FileServer]:
    with FileServer() as running:
        running.answers["/cat"] = file(photo)
        yield running


def refusal(reader: MediaReader, source: MediaSource, modality: Modality = Modality.IMAGE) -> str:
    with pytest.raises(MediaError) as refused:
        reader.read(LabelledLoader(), modality, source)
    return refused.value.message


def test_read_gives_the_same_of_a_url_a_path_a_data_uri_and_base64(
    reader: MediaReader, server: FileServer, photos_folder: Path, photo: bytes
) -> None:
    text = base64.b64encode(photo).decode()
    pointers = [
        server.url("/cat"),
        server.url("/cat").replace("http:", "HTTP:"),
        str(photos_folder / "cat.jpg"),
        (photos_folder / "cat.jpg").as_uri(),
        "cat.jpg",
        f"data:image/jpeg;base64,{text}",
        f"data:image/jpeg;base64,{text.rstrip('=').replace('+', '%2B')}",
        text,
        "\n".join(text[start : start + 76] for start in range(0, len(text), 76)),
    ]
    read = [reader.read(LabelledLoader(), Modality.IMAGE, MediaSource(pointer)) for pointer in pointers]
    assert len({one.parts[0].payload for one in read}) == 1
    assert all(list(one.boxes) == [None] for one in read)


def test_read_sends_the_headers_of_the_source(reader: MediaReader, server: FileServer) -> None:
    reader.read(RandomLoader(8), Modality.IMAGE, MediaSource(server.url("/cat"), headers={"X-Key": "secret"}))
    assert server.requests[0][1]["x-key"] == "secret"


@pytest.mark.parametrize(("method", "parts"), [("", 1), ("none", 1), ("simple", 10), ("overlap?hn=2&wn=2", 6)])
def test_read_cuts_an_image_as_the_index_says(reader: MediaReader, method: str, parts: int) -> None:
    loader = LabelledLoader()
    read = reader.read(loader, Modality.IMAGE, MediaSource("cat.jpg", method))
    assert len(read.parts) == len(read.boxes) == len(loader.images) == parts
    if parts > 1:
        assert read.boxes[0] == (0.0, 0.0, 451.0, 300.0)


def test_read_decodes_jpeg_at_twice_the_models_size_unless_told_to_be_exact(rules: MediaRules) -> None:
    sizes = {}
    for exact in (False, True):
        reader, loader = MediaReader(replace(rules, exact=exact)), LabelledLoader()
        assert reader.read(loader, Modality.IMAGE, MediaSource("cat.jpg")).size == (451, 300)
        reader.close()
        sizes[exact] = loader.images[0].size
    assert sizes == {False: (113, 75), True: (451, 300)}


def test_read_hands_other_files_to_the_plug_in(reader: MediaReader, server: FileServer) -> None:
    server.answers["/x.txt3d"] = file(b"3d a\nb")
    source = MediaSource(server.url("/x.txt3d"))
    read = reader.read(LabelledLoader(), Modality.MEDIA, source)
    assert [part.payload for part in read.parts] == [(source.pointer, b"3d a"), (source.pointer, b"b")]
    assert read.boxes == [None, None]
    assert "it does not begin with '3d'" in refusal(reader, MediaSource(server.url("/cat")), Modality.MEDIA)


def test_a_fault_names_the_pointer_and_the_reason(reader: MediaReader, server: FileServer, photo: bytes) -> None:
    server.answers["/page"] = file(b"<html></html>")
    server.answers["/part"] = file(photo[:9000])
    server.answers["/gone"] = status(410)
    for path, reason in {
        "/page": "it is not an image: it is none of PNG, JPEG, GIF, WebP, TIFF, BMP",
        "/part": "the JPEG image is damaged or cut off",
        "/gone": "the server answered with HTTP status 410",
    }.items():
        assert refusal(reader, MediaSource(server.url(path))).startswith(
            f"'{server.url(path)}' can't be read: {reason}"
        )
    assert "SIDECAR_MEDIA_ROOTS" in refusal(reader, MediaSource("/etc/passwd.png"))
    assert "not base64" in refusal(reader, MediaSource("data:image/png;base64,####"))
    assert "not an image" in refusal(reader, MediaSource("data:image/png;base64,AAAA"))
    with pytest.raises(InvalidArgument, match="patch_method 'grid'"):
        reader.read(RandomLoader(8), Modality.IMAGE, MediaSource("cat.jpg", "grid"))


def test_a_fault_shows_no_contents_and_no_password(reader: MediaReader, server: FileServer) -> None:
    secret = server.url("/none", host="me:secret@127.0.0.1")
    assert "secret" not in refusal(reader, MediaSource(secret))
    assert len(refusal(reader, MediaSource("data:image/png;base64," + "A" * 100_000))) < 300


def test_the_limit_on_bytes_holds_for_every_source(
    rules: MediaRules, server: FileServer, photos_folder: Path, photo: bytes
) -> None:
    text = base64.b64encode(photo).decode()
    reader = MediaReader(replace(rules, max_bytes=len(photo) - 1))
    for pointer in (server.url("/cat"), "cat.jpg", text, f"data:image/jpeg;base64,{text}"):
        assert f"the limit is {len(photo) - 1:,}" in refusal(reader, MediaSource(pointer))
    reader.close()
    exactly = MediaReader(replace(rules, max_bytes=len(photo)))
    for pointer in (server.url("/cat"), "cat.jpg", text):
        exactly.read(RandomLoader(8), Modality.IMAGE, MediaSource(pointer))
    exactly.close()


def test_private_addresses_are_refused_unless_allowed(rules: MediaRules, server: FileServer) -> None:
    reader = MediaReader(replace(rules, allow_private=False))
    assert "SIDECAR_MEDIA_ALLOW_PRIVATE" in refusal(reader, MediaSource(server.url("/cat")))
    assert not server.requests
    reader.close()


def test_submit_reads_in_threads_of_low_priority(reader: MediaReader) -> None:
    loader = LabelledLoader()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    read = reader.submit(loader, Modality.IMAGE, MediaSource("cat.jpg")).result(TIMEOUT)
    queried = reader.read(loader, Modality.IMAGE, MediaSource("cat.jpg"))
    assert read.parts == queried.parts
    (name, niceness), (own_name, own_niceness) = loader.threads
    assert name.startswith("media")
    assert (own_name, own_niceness) == (threading.current_thread().name, own)
    if sys.platform == "linux":
        assert niceness == BULK_NICENESS


def test_submit_fails_the_future_of_a_bad_file_alone(reader: MediaReader) -> None:
    sources = [MediaSource("cat.jpg"), MediaSource("none.jpg"), MediaSource("coffee.jpg")]
    futures = [reader.submit(RandomLoader(8), Modality.IMAGE, source) for source in sources]
    assert isinstance(futures[1].exception(TIMEOUT), MediaError)
    assert len(futures[0].result(TIMEOUT).parts) == len(futures[2].result(TIMEOUT).parts) == 1


def test_only_as_many_images_are_decoded_at_once_as_there_are_processors(rules: MediaRules) -> None:
    processors = available_processors()
    reader, loader = MediaReader(replace(rules, threads=processors + 4)), GatedLoader()
    futures = [reader.submit(loader, Modality.IMAGE, MediaSource("cat.jpg")) for _ in range(2 * processors + 4)]
    for _ in range(processors):
        assert loader.entered.acquire(timeout=TIMEOUT)
    # Documents take all places; a query has one of its own.
    query = threading.Thread(target=reader.read, args=(loader, Modality.IMAGE, MediaSource("cat.jpg")))
    query.start()
    assert loader.entered.acquire(timeout=TIMEOUT)
    assert loader.most == processors + 1
    loader.gate.set()
    query.join()
    for future in futures:
        future.result(TIMEOUT)
    assert loader.most == processors + 1
    reader.close()


def test_close_drops_what_waits(rules: MediaRules) -> None:
    reader, loader = MediaReader(replace(rules, threads=1)), GatedLoader()
    first, second = (reader.submit(loader, Modality.IMAGE, MediaSource("cat.jpg")) for _ in range(2))
    assert loader.entered.acquire(timeout=TIMEOUT)
    closing = threading.Thread(target=reader.close)
    closing.start()
    with pytest.raises(CancelledError):
        second.result(TIMEOUT)
    loader.gate.set()
    closing.join(TIMEOUT)
    assert len(first.result(TIMEOUT).parts) == 1
