"""Where another index is: its cluster, how to connect to it, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sidecar.errors import ConfigurationError, IndexNotFound, InvalidArgument, OpenSearchError, SidecarError
from sidecar.ingest.sources.files import storage_value
from sidecar.ingest.sources.locations import shown_location
from sidecar.ingest.sources.options import SourceOptions
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport

_OPTIONS = ("verify_tls", "ca_file", "timeout_seconds")
_PORT = 9200
_KEPT_CONNECTIONS = 4


@dataclass(frozen=True)
class IndexLocation:
    """``shown`` is the location without credentials, ``url`` that of the cluster with them. Plain data, so that it can
    be sent to other processes."""

    shown: str
    url: str
    index: str
    options: TransportOptions

    def cluster(self) -> Cluster:
        """A client of the cluster."""
        return Cluster(Transport(ClusterAddress(self.url), self.options))

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Raises: InvalidArgument for what the cluster refuses, or where it is away: it is the source that can't be
        read, not our own cluster that can't be written."""
        try:
            yield
        except IndexNotFound as error:
            raise InvalidArgument(f"There is no index at {self.shown}.") from error
        except SidecarError as error:
            if isinstance(error, OpenSearchError) and error.upstream_status in {401, 403}:
                reason = f"its cluster answers {error.upstream_status}; look at the user and the password in the URL."
            else:
                reason = error.message
            raise InvalidArgument(f"{self.shown} can't be read: {reason}") from error


def index_location(options: SourceOptions) -> IndexLocation:
    """Read ``opensearch[+https]://[USER:PASSWORD@]HOST[:PORT][/PREFIX]/INDEX``; without a port, 9200.

    Raises: InvalidArgument, without the password.
    """
    shown = shown_location(options.location)
    parts = urlsplit(options.location)
    prefix, _, index = unquote(parts.path).rpartition("/")
    try:
        port = parts.port or _PORT
    except ValueError as error:
        raise InvalidArgument(f"{shown} has a bad port: {error}.") from error
    if not parts.hostname or not index or any(character in index for character in "*,") or parts.query:
        raise InvalidArgument(f"{shown} must name a host and one index: {parts.scheme}://HOST:9200/INDEX.")
    credentials = "".join(parts.netloc.rpartition("@")[:2])
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = "https" if parts.scheme.lower().endswith("+https") else "http"
    url = f"{scheme}://{credentials}{host}:{port}{prefix}"
    return IndexLocation(shown, url, index, _transport_options(options.storage, shown))


def _transport_options(storage: Mapping[str, str], shown: str) -> TransportOptions:
    unknown = [key for key in storage if key not in _OPTIONS]
    if unknown:
        known = ", ".join(_OPTIONS)
        raise InvalidArgument(f"{shown}: {unknown[0]!r} is no storage option of a cluster; known: {known}.")
    verify = storage_value(storage.get("verify_tls", "true"))
    if not isinstance(verify, bool):
        raise InvalidArgument(f"{shown}: the storage option verify_tls must be true or false.")
    try:
        timeout = float(storage.get("timeout_seconds", "60"))
        ca_file = Path(storage["ca_file"]) if "ca_file" in storage else None
        options = TransportOptions(timeout, connections=_KEPT_CONNECTIONS, verify_tls=verify, ca_file=ca_file)
        Transport(ClusterAddress(), options)  # reads the file
    except (ValueError, ConfigurationError) as error:
        raise InvalidArgument(f"{shown}: a storage option is wrong: {error}") from error
    return options
