"""Downloading and unpacking OpenSearch, with small archives of the same shape."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node.distribution import Archive, archives, download, install
from sidecar.opensearch.node.progress import Report, silent

VERSION = "3.5.0"


class Archives:
    """A source of archives that counts what is fetched, and cuts the first ones short."""

    def __init__(self, folder: Path, *, cut: int = 0) -> None:
        self.folder = folder
        self.cut = cut
        self.fetched: list[str] = []

    def __call__(self, wanted: Archive, report: Report) -> Path:
        self.fetched.append(wanted.name)
        path = self.folder / f"{wanted.name}.zip"
        top = f"opensearch-{VERSION}/lib/" if wanted.name == "opensearch" else ""
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{top}{wanted.name}.jar", b"content " * 1000)
        if self.cut:
            self.cut -= 1
            path.write_bytes(path.read_bytes()[:500])
        return path


def names(folder: Path) -> set[str]:
    return {str(part.relative_to(folder)) for part in folder.rglob("*") if part.is_file()}


WHOLE = {"lib/opensearch.jar", "plugins/opensearch-knn/opensearch-knn.jar"}


def test_install_unpacks_opensearch_with_its_plugin_once(tmp_path: Path) -> None:
    fetch = Archives(tmp_path)
    target = tmp_path / "cache" / VERSION
    for _ in range(2):
        install(target, VERSION, silent, fetch=fetch)
    assert names(target) == WHOLE
    assert fetch.fetched == ["opensearch", "opensearch-knn"]


def test_install_fetches_again_when_a_download_was_cut_short(tmp_path: Path) -> None:
    fetch = Archives(tmp_path, cut=1)
    install(tmp_path / VERSION, VERSION, silent, fetch=fetch)
    assert names(tmp_path / VERSION) == WHOLE
    assert fetch.fetched == ["opensearch", "opensearch", "opensearch-knn"]


def test_install_leaves_nothing_when_the_download_is_corrupt_twice(tmp_path: Path) -> None:
    target = tmp_path / "cache" / VERSION
    with pytest.raises(EmbeddedNodeError, match=r"opensearch 3\.5\.0 was corrupt, twice .*OPENSEARCH_URL"):
        install(target, VERSION, silent, fetch=Archives(tmp_path, cut=2))
    assert [part.name for part in target.parent.iterdir() if part.is_dir()] == []
    assert not (tmp_path / "opensearch.zip").exists()


def test_install_finds_a_flipped_byte(tmp_path: Path) -> None:
    whole = Archives(tmp_path)

    def flipped(wanted: Archive, report: Report) -> Path:
        path = whole(wanted, report)
        content = bytearray(path.read_bytes())
        content[200] ^= 1
        path.write_bytes(content)
        return path

    with pytest.raises(EmbeddedNodeError, match="corrupt"):
        install(tmp_path / "cache" / VERSION, VERSION, silent, fetch=flipped)


def test_install_is_done_once_when_several_ask_together(tmp_path: Path) -> None:
    fetch = Archives(tmp_path)
    target = tmp_path / "cache" / VERSION
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(install, target, VERSION, silent, fetch=fetch) for _ in range(4)]:
            done.result()
    assert fetch.fetched == ["opensearch", "opensearch-knn"]


def test_install_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    left_over = tmp_path / f".{VERSION}-abc"
    left_over.mkdir()
    install(tmp_path / VERSION, VERSION, silent, fetch=Archives(tmp_path))
    assert not left_over.exists()


def test_download_without_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(EmbeddedNodeError, match=r"no connection to Maven Central.*check the network"):
        download(archives(VERSION)[1], silent, own_cache=tmp_path / "maven")


def test_downloads_go_elsewhere_where_maven_s_own_folder_can_not_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "file" / "repository"))
    opensearch = archives(VERSION)[0]
    name = f"{opensearch.name}-{opensearch.version}.zip"
    kept = tmp_path / "maven" / opensearch.group.replace(".", "/") / opensearch.name / opensearch.version / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"what was fetched before")
    assert download(opensearch, silent, own_cache=tmp_path / "maven") == kept


def test_import_brings_no_downloader_in() -> None:
    script = "import sys, sidecar.opensearch.node; print({'jgo', 'cjdk', 'requests'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "set()\n"
