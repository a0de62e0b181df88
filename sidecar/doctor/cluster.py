"""Whether the cluster answers, and can do what the sidecar needs."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from sidecar.doctor.cluster_health import look_at_health
from sidecar.doctor.cluster_plugins import look_at_plugins
from sidecar.doctor.cluster_scripts import look_at_scripts
from sidecar.doctor.cluster_writes import look_at_writes
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import SidecarError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.places import places_of

OLDEST = (2, 11, 0)
NEWEST_MAJOR = 3
_PARTS: tuple[tuple[str, Callable[[Cluster], Iterable[Finding]]], ...] = (
    ("health", look_at_health),
    ("plugins", look_at_plugins),
    ("scripts", look_at_scripts),
    ("room for writes", look_at_writes),
)


def check(about: Surroundings) -> Iterator[Finding]:
    """The cluster of the settings, or the embedded node where it runs. Without an answer nothing more is looked at."""
    cluster = about.cluster
    if cluster is None:
        yield _no_node(about)
        return
    where = "the embedded OpenSearch" if about.settings.uses_embedded_node else "the cluster"
    try:
        facts = cluster.facts()
    except SidecarError as failed:
        yield error(failed.message, "See that it runs, and that OPENSEARCH_URL names its address, user and password.")
        return
    number = ".".join(map(str, facts.version))
    if facts.version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield error(f"{where} is OpenSearch {number}, and {oldest} or later is needed.", "Bring it up to date.")
    elif facts.version[0] > NEWEST_MAJOR:
        yield warning(
            f"{where} is OpenSearch {number}, newer than this sidecar was tested with ({NEWEST_MAJOR}.x).",
            "Try it on a copy of your data first, or bring the sidecar up to date.",
        )
    else:
        engines = "lucene only" if facts.is_embedded else "lucene and faiss"
        yield ok(f"{where} is OpenSearch {number}; engines of k-NN: {engines}")
    yield from look_at_connection(about)
    for name, look in _PARTS:
        try:
            yield from look(cluster)
        except SidecarError as failed:
            yield warning(
                f"{name} can't be looked at: {failed.message}",
                "Let the user of OPENSEARCH_URL have the right cluster_monitor, or look there by hand.",
            )


def _no_node(about: Surroundings) -> Finding:
    version = about.settings.node_version
    is_there = places_of(about.settings, node_account()).distribution(version).is_dir()
    told = "is on this machine" if is_there else "is downloaded at the first start (about 200 MB)"
    return ok(f"the embedded OpenSearch does not run; it starts with the server, and {version} {told}")


def look_at_connection(about: Surroundings) -> Iterator[Finding]:
    """Whether others could read what is sent to the cluster. Of its address, nothing is told but the host."""
    parts = urlsplit(about.settings.opensearch_url or "http://127.0.0.1")
    if parts.scheme == "https" and not about.settings.opensearch_verify_tls:
        yield warning(
            "the cluster's certificate is not verified: whoever stands between may read along.",
            "Name the authority that signed it in SIDECAR_OPENSEARCH_CA_FILE, and take away "
            "SIDECAR_OPENSEARCH_VERIFY_TLS.",
        )
    if parts.scheme == "http" and parts.password and not _is_loopback(parts.hostname or ""):
        yield warning(f"the password for {parts.hostname} is sent unencrypted.", "Let OPENSEARCH_URL begin with https.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
