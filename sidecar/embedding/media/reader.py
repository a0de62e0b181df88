"""Reads files, decodes images and prepares them for a model, in a pool of threads beside the model's own."""

from __future__ import annotations

import base64
import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from sidecar import telemetry
from sidecar.embedding.engine import BULK_NICENESS
from sidecar.embedding.loader import ImagePreparer, Loader, MediaLoader, Modality
from sidecar.embedding.media.attention import AttentionModel
from sidecar.embedding.media.fetching import Fetcher, FetchRules
from sidecar.embedding.media.formats import HEAD_BYTES, ImageFormat, image_format
from sidecar.embedding.media.patching import PATCHED_SIDE, cut, parse_patch_method
from sidecar.embedding.media.paths import read_path
from sidecar.embedding.media.pointers import data_uri_type, is_base64_image, shortened
from sidecar.embedding.media.prepared import MediaSource, PreparedMedia
from sidecar.embedding.media.shared_fetches import SharedFetches
from sidecar.embedding.media.unreadable import Unreadable
from sidecar.embedding.processors import available_processors
from sidecar.errors import MediaError
from sidecar.observation.kinds import Stage
from sidecar.observation.request import observed_metrics
from sidecar.observation.stages import stage

_WEB_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class MediaRules:
    """The operator's limits: which places files may be read from, and how large and slow they may be."""

    roots: tuple[Path, ...] = ()
    allow_private: bool = False
    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 100_000_000
    timeout_seconds: float = 3.0
    threads: int = 20
    exact: bool = False


class MediaReader:
    """Reads files for one sidecar; safe to use from any thread. `close` ends its threads."""

    def __init__(self, rules: MediaRules) -> None:
        self._rules = rules
        self._roots = tuple(root.expanduser().resolve() for root in rules.roots)
        self._fetcher = Fetcher(
            FetchRules(rules.allow_private, rules.max_bytes, rules.timeout_seconds, rules.timeout_seconds)
        )
        self._fetches = SharedFetches(self._fetch)
        self._attention = AttentionModel()
        # Many threads wait for the network; as many as there are processors decode, so that few images are in memory.
        # Queries have places of their own: they don't wait behind documents.
        self._bulk_places = threading.BoundedSemaphore(available_processors())
        self._query_places = threading.BoundedSemaphore(available_processors())
        self._pool = ThreadPoolExecutor(rules.threads, thread_name_prefix="media", initializer=_lower_priority)

    def submit(self, loader: Loader, modality: Modality, source: MediaSource) -> Future[PreparedMedia]:
        """`read` in the pool; cancelling the future drops it when it has not begun."""
        # What it logs and times is the request's.
        return self._pool.submit(copy_context().run, self._read, loader, modality, source, self._bulk_places)

    def read(self, loader: Loader | ImagePreparer, modality: Modality, source: MediaSource) -> PreparedMedia:
        """Read the file, decode it and prepare its parts for the loader, in the calling thread.

        Raises: MediaError naming the pointer, shortened, and what is wrong. InvalidArgument for an unknown patch
        method; ModelLoadError where the patch method's own model can't be had.
        """
        return self._read(loader, modality, source, self._query_places)

    def read_picture(self, path: str) -> tuple[bytes, ImageFormat]:
        """An image file as it is, and its format; by path or ``file:`` URL, under the roots.

        Raises: MediaError naming the path and what is wrong, as for a file that is no image.
        """
        try:
            content = read_path(path, self._roots, self._rules.max_bytes)
        except Unreadable as error:
            raise MediaError(f"{shortened(path)!r} can't be read: {error}") from error
        found = image_format(content[:HEAD_BYTES])
        if found is None:
            raise MediaError(f"{shortened(path)!r} is not an image that can be shown. Name a PNG, JPEG, GIF or WebP")
        return content, found

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._fetcher.close()

    def _read(
        self,
        loader: Loader | ImagePreparer,
        modality: Modality,
        source: MediaSource,
        places: threading.BoundedSemaphore,
    ) -> PreparedMedia:
        try:
            content = self._content(source)
            with places:
                if modality is Modality.IMAGE:
                    return self._prepare_image(cast(ImagePreparer, loader), source, content)
                return _prepare_media(cast(MediaLoader, loader), source, content)
        except Unreadable as error:
            raise MediaError(f"{shortened(source.pointer)!r} can't be read: {error}") from error

    def _content(self, source: MediaSource) -> bytes:
        pointer = source.pointer
        if data_uri_type(pointer) is not None:
            return self._from_base64(unquote(pointer[pointer.index(",") + 1 :]))
        if pointer[:8].lower().startswith(_WEB_SCHEMES):
            with telemetry.timed(f"image_download.{pointer}"), stage(Stage.MEDIA, _host_of(pointer)):
                return self._fetches.fetch(pointer, source.headers)
        if is_base64_image(pointer):
            return self._from_base64(pointer)
        return read_path(pointer, self._roots, self._rules.max_bytes)

    def _fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        """The file's bytes, counted. Raises: Unreadable."""
        metrics = observed_metrics()
        outcome = "failed"
        try:
            content = self._fetcher.fetch(url, headers)
            outcome = "ok"
            return content
        finally:
            if metrics is not None:
                metrics.media_fetches.labels(outcome).inc()
                metrics.media_bytes.inc(len(content) if outcome == "ok" else 0)

    def _from_base64(self, text: str) -> bytes:
        limit = self._rules.max_bytes
        letters = "".join(text.split()).rstrip("=")
        size = len(letters) * 3 // 4
        if size > limit:
            raise Unreadable(f"the file has {size:,} bytes; the limit is {limit:,}. Send a smaller one")
        try:
            return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        except ValueError as error:
            raise Unreadable("it is not base64. Encode the file again") from error

    def _prepare_image(self, loader: ImagePreparer, source: MediaSource, content: bytes) -> PreparedMedia:
        # Imported late: a sidecar of text models needs no Pillow.
        from sidecar.embedding.media.decoding import decode_image

        method = parse_patch_method(source.patch_method)
        needed = None if self._rules.exact else max(loader.image_size if method is None else (PATCHED_SIDE,))
        decoded = decode_image(content, max_pixels=self._rules.max_pixels, needed=needed)
        size = (decoded.width, decoded.height)
        if method is None:
            return PreparedMedia([loader.prepare_image(decoded.image)], [None], size)
        parts = cut(decoded, method, self._attention)
        return PreparedMedia([loader.prepare_image(image) for image, _ in parts], [box for _, box in parts], size)


def _prepare_media(loader: MediaLoader, source: MediaSource, content: bytes) -> PreparedMedia:
    try:
        parts = loader.prepare_media(content, shortened(source.pointer))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return PreparedMedia(parts, [None] * len(parts))


def _host_of(url: str) -> str:
    """The host of a URL, which alone of it is told: what follows may be a secret. Empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _lower_priority() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BULK_NICENESS)
