"""Models of other installed packages: the worked example of the docs, built and installed as it is printed there."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.kinds import plugins
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Loader
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media.reader import MediaReader, MediaRules
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, MediaError, ModelLoadError
from sidecar.metrics import Metrics
from tests.contracts import LoaderContract
from tests.fix_server import MakeClient

PAGE = (Path(__file__).parents[2] / "docs" / "plug-ins.md").read_text("utf-8")
RATE = 16_000
TABLE = ModelTable()
LOADING = ModelLoading(ConversionCache(Path("unused")), "auto")
FAULTY = """
def breaks(spec, context):
    raise RuntimeError("inner words")

def wrong(spec, context):
    from sidecar.embedding.loaders.random import RandomLoader
    return RandomLoader(7)
"""


def block(language: str) -> str:
    """The first block of the page in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def install(source: Path, target: Path) -> None:
    """Build a wheel of the package and unpack it into the folder, as pip does."""
    code = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(source)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(source / done.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(target)


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page's plug-in, and one that fails, as installed packages."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site-packages")
    (source / "pyproject.toml").write_text(block("toml"), "utf-8")
    (source / "sidecar_tones.py").write_text(block("python"), "utf-8")
    install(source, target)
    facts = target / "faulty-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n", "utf-8")
    points = "[sidecar.loaders]\nbreaks = faulty_loaders:breaks\nwrong = faulty_loaders:wrong\nabsent = nowhere:load\n"
    (facts / "entry_points.txt").write_text(f"{points}sbert = faulty_loaders:breaks\n", "utf-8")
    (target / "faulty_loaders.py").write_text(FAULTY, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(target))
        plugins.cache_clear()
        yield
    plugins.cache_clear()


def tone(hertz: float, *, seconds: float = 1.0) -> bytes:
    """A .wav file."""
    times = np.arange(int(RATE * seconds)) / RATE
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes((np.sin(2 * np.pi * hertz * times) * 20_000).astype("<i2").tobytes())
    return content.getvalue()


def tones(**properties: Any) -> dict[str, Any]:
    return {"type": "tones", "dimensions": 64, **properties}


class TestToneLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self) -> Loader:
        return LOADING.load(TABLE.resolve("my-tones", tones()))

    def test_different_texts_get_different_vectors(self, loader: Loader) -> None:  # type: ignore[override]
        """It knows no difference but that of frequencies."""
        low, high = loader.encode_text(["50 Hz", "a tone of 4000 Hz"])
        assert not np.allclose(low, high)


@pytest.fixture
def media(tmp_path: Path) -> Iterator[MediaEmbedder]:
    engine = EmbeddingEngine(ModelCache(LOADING.load, 1.0), EngineLimits(1, 100, 0), Metrics())
    made = MediaEmbedder(engine, MediaReader(MediaRules(roots=(tmp_path,))))
    yield made
    made.close()
    engine.close()


def test_sound_is_found_by_the_text_that_names_its_frequency(media: MediaEmbedder, tmp_path: Path) -> None:
    spec = TABLE.resolve("my-tones", tones())
    pitches = (110, 440, 1000, 3000)
    vectors = []
    for hertz in pitches:
        (tmp_path / f"{hertz}.wav").write_bytes(tone(hertz))
        embedded = media.submit(spec, MediaSource(str(tmp_path / f"{hertz}.wav"))).result(timeout=30)
        vectors.append(embedded.vectors[0] / np.linalg.norm(embedded.vectors[0]))
    queries = LOADING.load(spec).encode_text([f"{hertz} Hz" for hertz in pitches])
    assert (queries @ np.array(vectors).T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    by_sound = media.embed_query(spec, MediaSource(str(tmp_path / "440.wav")))
    assert int((np.array(vectors) @ by_sound).argmax()) == 1


def test_long_sound_becomes_several_chunks_by_the_plug_ins_own_property(media: MediaEmbedder, tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(tone(440, seconds=5))
    spec = TABLE.resolve("my-tones", tones(seconds=2))
    assert media.submit(spec, MediaSource(str(tmp_path / "long.wav"))).result(timeout=30).vectors.shape == (3, 64)


@pytest.mark.parametrize(("content", "told"), [(b"no sound", "no .wav file"), (tone(440, seconds=0), "no samples")])
def test_sound_that_can_not_be_read_is_told_in_the_plug_ins_words(
    content: bytes, told: str, media: MediaEmbedder, tmp_path: Path
) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(MediaError, match=rf"bad\.wav.*{told}"):
        media.submit(TABLE.resolve("my-tones", tones()), MediaSource(str(tmp_path / "bad.wav"))).result(timeout=30)


def test_model_without_images_refuses_them(media: MediaEmbedder, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="does not embed images"):
        media.submit(TABLE.resolve("my-tones", tones()), MediaSource(str(tmp_path / "a.png")))


def test_properties_of_another_spelling_make_another_model() -> None:
    one, other = (TABLE.resolve("my-tones", tones(seconds=seconds)) for seconds in (1, 2))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("breaks", r"can't be loaded by the plug-in 'faulty_loaders:breaks': RuntimeError: inner words"),
        ("absent", r"can't be loaded by the plug-in 'nowhere:load': ModuleNotFoundError"),
    ],
)
def test_plug_in_that_fails_is_told_by_name(kind: str, told: str) -> None:
    with pytest.raises(ModelLoadError, match=told):
        LOADING.load(TABLE.resolve("mine", {"type": kind, "dimensions": 5}))


def test_plug_in_with_other_dimensions_is_told_the_right_number() -> None:
    with pytest.raises(InvalidArgument, match="gives vectors of 7 dimensions"):
        LOADING.load(TABLE.resolve("mine", {"type": "wrong", "dimensions": 5}))


def test_plug_in_can_not_take_the_place_of_a_kind_of_our_own() -> None:
    assert "sbert" not in plugins()
    assert {"tones", "breaks"} <= set(plugins())


def test_sounds_are_indexed_and_found_through_the_http_api(
    make_client: MakeClient, node: str, index_name: str, tmp_path: Path
) -> None:
    client = make_client(opensearch_url=node, media_roots=(tmp_path,))
    settings = json.loads(block("json"))
    answered = client.post(f"/indexes/{index_name}", json={**settings, "number_of_shards": 1})
    assert answered.status_code == 200, answered.text
    for hertz in (110, 440, 3000):
        (tmp_path / f"{hertz}.wav").write_bytes(tone(hertz, seconds=5))
    documents = [{"_id": str(hertz), "sound": str(tmp_path / f"{hertz}.wav")} for hertz in (110, 440, 3000)]
    added = client.post(
        f"/indexes/{index_name}/documents?refresh=true", json={"documents": documents, "tensorFields": ["sound"]}
    )
    assert not added.json["errors"], added.text
    assert client.get(f"/indexes/{index_name}/stats").json == {"numberOfDocuments": 3, "numberOfVectors": 9}
    for q in ("a tone of 440 Hz", str(tmp_path / "440.wav")):
        hits = client.post(f"/indexes/{index_name}/search", json={"q": q}).json["hits"]
        assert hits[0]["_id"] == "440"
