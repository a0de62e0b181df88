"""OpenSearch and its k-NN plugin: downloaded from Maven, verified, and unpacked once."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from sidecar.errors import ConfigurationError, EmbeddedNodeError
from sidecar.opensearch.node.account import FILE_MODE, FOLDER_MODE, make_shared_folder
from sidecar.opensearch.node.progress import Progress, Report

OLDEST_MAJOR = 3  # older ones need Java's security manager, which newer JDKs no longer have
NEEDED_BYTES = 700_000_000  # 200 MB of archives, 240 MB unpacked, and room for a first index


@dataclass(frozen=True)
class Archive:
    """A zip file by its Maven coordinates."""

    group: str
    name: str
    version: str


def archives(version: str) -> tuple[Archive, Archive]:
    """OpenSearch's minimal distribution (it has no JDK inside) and the k-NN plugin made for it."""
    return (
        Archive("org.opensearch.distribution.integ-test-zip", "opensearch", version),
        Archive("org.opensearch.plugin", "opensearch-knn", knn_version(version)),
    )


def knn_version(version: str) -> str:
    """The k-NN plugin's version for an OpenSearch version: plugins carry a fourth number."""
    return f"{version}.0"


Fetch = Callable[[Archive, Report], Path]
"""Returns the local file of an archive, downloading it if need be."""


def install(folder: Path, version: str, report: Report, *, fetch: Fetch | None = None) -> None:
    """Make sure that the folder holds OpenSearch of that version with the k-NN plugin, ready to run.

    Whatever other processes do, and wherever this one is killed: the folder is there whole, or not at all.
    Raises: EmbeddedNodeError where it can't be downloaded or verified, or the disk has no room.
    """
    if folder.is_dir():
        return
    number = re.fullmatch(r"(\d+)\.\d+\.\d+", version)
    if number is None or int(number.group(1)) < OLDEST_MAJOR:
        raise ConfigurationError(
            f"SIDECAR_NODE_VERSION is {version}: the embedded node is OpenSearch {OLDEST_MAJOR}.0.0 or later."
        )
    make_shared_folder(folder.parent)
    lock = folder.with_name(f"{version}.lock")
    with FileLock(lock):
        if folder.is_dir():
            return
        _check_room(folder.parent)
        for left_over in folder.parent.glob(f".{version}-*"):
            shutil.rmtree(left_over)
        unpacked = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=folder.parent))
        try:
            _unpack(unpacked, version, report, fetch or partial(download, own_cache=folder.parent.with_name("maven")))
            unpacked.rename(folder)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)


def _unpack(target: Path, version: str, report: Report, fetch: Fetch) -> None:
    opensearch, knn = archives(version)
    inner = f"{opensearch.name}-{version}/"
    with _whole(opensearch, report, fetch) as archive:
        report(Progress(f"unpacking OpenSearch {version}"))
        archive.extractall(target)
    for part in list((target / inner).iterdir()):
        part.rename(target / part.name)
    (target / inner).rmdir()
    with _whole(knn, report, fetch) as archive:
        archive.extractall(target / "plugins" / knn.name)
    target.chmod(FOLDER_MODE)
    for part in target.rglob("*"):  # whatever the umask: the node's user must be able to read them
        part.chmod(FOLDER_MODE if part.is_dir() else FILE_MODE)


@contextmanager
def _whole(wanted: Archive, report: Report, fetch: Fetch) -> Iterator[zipfile.ZipFile]:
    """The archive, each of its files checked against its checksum; a broken one is fetched once more."""
    path = fetch(wanted, report)
    if not _is_whole(path):
        path.unlink()
        path = fetch(wanted, report)
        if not _is_whole(path):
            path.unlink()
            raise EmbeddedNodeError(
                f"The download of {wanted.name} {wanted.version} was corrupt, twice ({path}, removed): see "
                "what stands between this machine and Maven Central, or set OPENSEARCH_URL to a cluster."
            )
    with zipfile.ZipFile(path) as archive:
        yield archive


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError, OSError):
        return False


def download(wanted: Archive, report: Report, *, own_cache: Path) -> Path:
    """The archive in the local Maven cache, fetched with jgo from Maven Central where it is not there.

    The cache is Maven's own (``~/.m2``, or ``M2_REPO``), or ``own_cache`` where that can't be written to.
    Raises: EmbeddedNodeError where it can't be had.
    """
    import requests
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress(name: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        done_bytes = 0
        told = -1.0
        text = f"downloading {name} ({total_bytes / 1e6:.0f} MB)"

        def add(count: int) -> None:
            nonlocal done_bytes, told
            done_bytes += count
            fraction = done_bytes / total_bytes
            if fraction - told >= 0.005:
                told = fraction
                report(Progress(text, fraction))

        yield add

    context = MavenContext(resolver=PythonResolver(progress_callback=progress), repo_cache=_cache(own_cache))
    component = context.project(wanted.group, wanted.name).at_version(wanted.version)
    try:
        return Path(component.artifact(packaging="zip").resolve())
    except requests.ConnectionError as error:
        reason = "no connection to Maven Central"
        raise _cannot_download(wanted, reason) from error
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise _cannot_download(wanted, str(error)) from error


def _cache(own: Path) -> Path:
    from jgo.constants import default_maven_repo

    try:
        mavens: Path = default_maven_repo()
        mavens.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a home folder that is read-only, or not there at all
        return own
    return mavens if os.access(mavens, os.W_OK | os.X_OK) else own


def _cannot_download(wanted: Archive, reason: str) -> EmbeddedNodeError:
    return EmbeddedNodeError(
        f"{wanted.name} {wanted.version} could not be downloaded ({reason}): check the network, the proxy "
        "and SIDECAR_NODE_VERSION, or set OPENSEARCH_URL to a running cluster."
    )


def _check_room(folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < NEEDED_BYTES:
        raise EmbeddedNodeError(
            f"The disk of {folder} has {free_bytes / 1e6:.0f} MB left, and the embedded OpenSearch needs "
            f"{NEEDED_BYTES / 1e6:.0f} MB: free some, or set SIDECAR_HOME to a folder on another disk."
        )
