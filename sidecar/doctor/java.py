"""Whether there is a Java that can run the embedded OpenSearch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node.account import Account, node_account
from sidecar.opensearch.node.java import WAYS_OUT, Java, UnfitJava, find_java, probe
from sidecar.opensearch.node.places import places_of


def check(about: Surroundings) -> Iterator[Finding]:
    """The Java that the node would be started with, or everything that was looked at."""
    settings = about.settings
    if not settings.uses_embedded_node:
        yield ok("no Java is needed: OPENSEARCH_URL names a cluster")
        return
    account = node_account()
    try:
        java = find_java(settings, account, download_folder=None)
    except EmbeddedNodeError as failed:
        yield _downloaded(places_of(settings, account).java, account) or _missing(
            failed, may_be_downloaded=settings.java_home is None
        )
    else:
        yield _found(java)


def _found(java: Java) -> Finding:
    return ok(f"Java {java.version} is a full JDK ({java.program})")


def _downloaded(folder: Path, account: Account | None) -> Finding | None:
    """The Java that an earlier start has downloaded."""
    for program in sorted(folder.glob("**/bin/java")):
        try:
            return _found(probe(program, account))
        except UnfitJava:
            continue
    return None


def _missing(failed: EmbeddedNodeError, *, may_be_downloaded: bool) -> Finding:
    found = failed.message.removesuffix(WAYS_OUT).strip()
    if may_be_downloaded:
        return warning(f"{found} The first start downloads one (about 200 MB).", f"{WAYS_OUT} Or let it be downloaded.")
    return error(found, WAYS_OUT)
