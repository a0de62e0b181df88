"""Brings one file from a URL or a bucket to this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sidecar.embedding.media.fetching import FetchRules, fetch_to_file
from sidecar.embedding.model_spec import ModelAuth
from sidecar.errors import MediaError

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024**3
MAX_SECONDS = 6 * 3600.0
IDLE_SECONDS = 30.0
PROGRESS_SECONDS = 10.0
"""Between two log lines about one download."""


class DownloadFailed(Exception):
    """The file could not be had; the message says from where, why, and what to do."""


def file_name(location: Mapping[str, Any]) -> str:
    """The name of the file at a ``url`` or in ``s3``, fit for a folder of this machine."""
    path = unquote(urlsplit(location["url"]).path) if "url" in location else location["s3"]["Key"]
    name = PurePosixPath(path).name
    return name if name not in ("", ".", "..") and "\0" not in name else "file"


def from_url(url: str, target: Path, *, allow_private: bool) -> None:
    """Fetch the URL into the file. Raises: DownloadFailed."""
    rules = FetchRules(
        allow_private=allow_private, max_bytes=MAX_BYTES, timeout_seconds=MAX_SECONDS, idle_seconds=IDLE_SECONDS
    )
    try:
        fetch_to_file(url, target, rules=rules, on_progress=_Progress(url))
    except MediaError as error:
        raise DownloadFailed(error.message) from error


def from_s3(place: Mapping[str, str], target: Path, auth: ModelAuth | None) -> None:
    """Fetch an object of S3, or of a store of its kind that ``AWS_ENDPOINT_URL_S3`` names, into the file.

    Without ``auth`` the machine's own credentials are used, and where it has none, none. Raises: DownloadFailed.
    """
    try:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise DownloadFailed("files in S3 need boto3; install the extra: pip install 'vector-sidecar[s3]'") from error
    bucket, key = place["Bucket"], place["Key"]
    options: dict[str, Any] = {"connect_timeout": 10, "read_timeout": IDLE_SECONDS, "retries": {"max_attempts": 3}}
    try:
        session = boto3.session.Session(**_credentials(auth))
        if session.get_credentials() is None:
            options["signature_version"] = UNSIGNED
        client = session.client("s3", config=Config(**options))
        found = client.get_object(Bucket=bucket, Key=key)
        progress = _Progress(f"s3://{bucket}/{key}")
        received = 0
        with target.open("wb") as file:
            for chunk in found["Body"].iter_chunks(1024 * 1024):
                file.write(chunk)
                received += len(chunk)
                progress(received, found.get("ContentLength"))
    except (BotoCoreError, ClientError, ValueError) as error:
        raise DownloadFailed(
            f"s3://{bucket}/{key} can't be had: {error}. Check Bucket and Key, and the keys in modelAuth.s3 or of this "
            "machine"
        ) from error


def _credentials(auth: ModelAuth | None) -> dict[str, str]:
    return dict(auth.values) if auth is not None else {}


class _Progress:
    """Logs now and then how much of a file has come."""

    def __init__(self, source: str) -> None:
        # What follows the path of a signed URL is a credential.
        self._source = source.partition("?")[0]
        self._told_at = time.monotonic()

    def __call__(self, received: int, total: int | None) -> None:
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = time.monotonic()
        share = f" share={received / total:.0%}" if total else ""
        logger.info("downloading source=%s megabytes=%d%s", self._source, received // 2**20, share)
