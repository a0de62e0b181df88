"""Files of object stores and web servers, through fsspec."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.files import FoundFiles, is_hidden, storage_value
from sidecar.ingest.sources.locations import scheme_of, shown_location
from sidecar.ingest.sources.unreadable import library, readable

_BLOCK_BYTES = 8 * 1024 * 1024
"""What is asked for at once. A block's answer is read whole, so that no host waits for a slow reader; s3fs would take
50 MB."""
_VERSIONS = ("ETag", "etag", "Content-MD5", "Digest", "generation", "Last-Modified", "LastModified", "mtime", "created")
"""What filesystems know that tells one content of a file from another."""
_WEB = frozenset({"http", "https"})
_PARTIAL_CONTENT = 206
_QUIET_SECONDS = 60.0


@dataclass(frozen=True)
class RemoteFile:
    """A file of an fsspec filesystem; as `files.SourceFile`. ``path`` is its place there: for the web, its URL."""

    name: str
    address: str
    size_bytes: int | None
    fingerprint: str
    filesystem: Any
    path: str

    @property
    def shown(self) -> str:
        return shown_location(self.address)

    @property
    def is_seekable(self) -> bool:
        return self.size_bytes is not None

    def open(self, offset: int = 0) -> BinaryIO:
        if scheme_of(self.address) in _WEB:
            return self._open_web(offset)
        stream: BinaryIO = self.filesystem.open(self.path, "rb", block_size=_BLOCK_BYTES)
        if offset:
            stream.seek(offset)
        return stream

    def _open_web(self, offset: int) -> BinaryIO:
        """By ranges where the server gives any; else as one stream, of which what is before the offset is dropped."""
        if self.is_seekable and self._gives_ranges():
            ranged: BinaryIO = self.filesystem.open(self.path, "rb", block_size=_BLOCK_BYTES, size=self.size_bytes)
            ranged.seek(offset)
            return ranged
        stream = cast(BinaryIO, _Forward(self.filesystem.open(self.path, "rb", block_size=0)))
        while offset and (dropped := stream.read(min(offset, _BLOCK_BYTES))):
            offset -= len(dropped)
        return stream

    def _gives_ranges(self) -> bool:
        headers = {**self.filesystem.kwargs.get("headers", {}), "Range": "bytes=0-0"}
        with self.filesystem.open(self.path, "rb", block_size=0, headers=headers) as stream:
            return bool(stream.r.status == _PARTIAL_CONTENT)


class _Forward(io.RawIOBase):
    """A web server's answer; fsspec's own file says that it can be read at any place."""

    def __init__(self, answer: BinaryIO) -> None:
        self._answer = answer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        content = self._answer.read(len(target))
        target[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._answer.close()
        super().close()


def find_remote_files(location: str, storage: Mapping[str, str]) -> FoundFiles:
    """As `files.find_files`; ``storage`` are the filesystem's options."""
    shown = shown_location(location)
    fsspec = library("fsspec", shown)
    scheme = scheme_of(location)
    options: dict[str, Any] = {key: storage_value(value) for key, value in storage.items()}
    if scheme in _WEB:
        # Its default ends every answer after five minutes; a slow load reads one longer.
        timeout = library("aiohttp", shown).ClientTimeout(total=None, connect=_QUIET_SECONDS, sock_read=_QUIET_SECONDS)
        options = {"client_kwargs": {"timeout": timeout}, **options}
    if scheme in {"s3", "s3a"}:
        library("s3fs", shown)
    try:
        filesystem, path = fsspec.core.url_to_fs(location, **options)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{shown} can't be read: {error}. Look at its scheme and the storage options.") from error
    with readable(shown):
        filesystem.invalidate_cache()
        return _found(filesystem, path, shown)


def _found(filesystem: Any, path: str, shown: str) -> FoundFiles:
    is_web = path.startswith(("http://", "https://"))
    if any(character in path for character in ("*" if is_web else "*?[")):
        listed = filesystem.glob(path, detail=True)
        root = path[: path.index("*")] if is_web else path
        root = _fixed_root(root)
    elif is_web and not path.endswith("/"):
        listed, root = {}, ""
    else:
        listed, root = filesystem.find(path, detail=True), path.rstrip("/") + "/"
    files = {_relative(name, root): facts for name, facts in listed.items() if facts.get("type") != "directory"}
    if not listed or set(files) <= {""}:
        return FoundFiles(shown, (_remote_file(filesystem, filesystem.info(path), _last_step(path)),), is_single=True)
    found = [_remote_file(filesystem, facts, name) for name, facts in sorted(files.items()) if not is_hidden(name)]
    if not found:
        raise InvalidArgument(f"There is no file in {shown} (those whose names begin with '.' or '_' do not count).")
    return FoundFiles(shown, found, is_single=False)


def _fixed_root(pattern: str) -> str:
    first = min((pattern.index(character) for character in "*?[" if character in pattern), default=len(pattern))
    return pattern[: pattern[:first].rfind("/") + 1]


def _relative(name: str, root: str) -> str:
    return name[len(root) :] if name.startswith(root) else ""


def _last_step(path: str) -> str:
    """The name of a file without its folder; of a URL, without its query too."""
    step = urlsplit(path).path if path.startswith(("http://", "https://")) else path
    return unquote(step.rstrip("/").rpartition("/")[2]) or "file"


def _remote_file(filesystem: Any, facts: Mapping[str, Any], name: str) -> RemoteFile:
    path: str = facts["name"]
    if path.startswith(("http://", "https://")) and "ETag" not in facts:
        # A page of links tells neither sizes nor versions.
        facts = filesystem.info(path)
    versions = [f"{key}={facts[key]}" for key in _VERSIONS if facts.get(key)]
    size = facts.get("size")
    told = f"{size}-{'-'.join(versions)}"
    fingerprint = hashlib.blake2b(told.encode(), digest_size=12).hexdigest() if versions or size else ""
    return RemoteFile(name, filesystem.unstrip_protocol(path), size, fingerprint, filesystem, path)
