"""Whether the settings are valid, and go together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from sidecar.config import Settings
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import ConfigurationError
from sidecar.given_settings import read_variables
from sidecar.marqo_variables import remarks
from sidecar.tls import server_context, validity_problem


def check(about: Surroundings) -> Iterator[Finding]:
    """Every variable that is wrong, and settings that are right each but not together. Values are not told."""
    for problem in about.read.problems:
        yield error(problem, "Correct the variable, or take it away; the table of settings is in README.md.")
    for remark in remarks(read_variables()):
        yield warning(remark, "Take it away, or set what is named.")
    settings = about.settings
    yield from _certificate(settings)
    yield from _open_doors(settings)
    for folder in settings.media_roots:
        if not folder.is_dir():
            yield warning(f"SIDECAR_MEDIA_ROOTS: there is no folder {folder}.", "Make the folder, or take it out.")
    given = about.read.given
    if not about.read.problems:
        told = f"{len(given)} settings are given: {', '.join(given)}" if given else "all settings are at their defaults"
        yield ok(told)


def _certificate(settings: Settings) -> Iterator[Finding]:
    try:
        context = server_context(settings.tls_certificate, settings.tls_key)
    except ConfigurationError as failed:
        yield error(failed.message, "The server does not start so; mend the file, or take the setting away.")
        return
    if context is None or settings.tls_certificate is None:
        return
    problem = validity_problem(context, settings.tls_certificate)
    if problem is None:
        yield ok(f"the certificate {settings.tls_certificate} is valid now")
    else:
        yield error(
            f"the certificate {settings.tls_certificate} {problem}; clients refuse it.",
            "Get a new one, put it in the same place, and send the server a SIGHUP.",
        )


def _open_doors(settings: Settings) -> Iterator[Finding]:
    """What others on the network may do that its operator may not have meant."""
    if _is_loopback(settings.host):
        return
    if not settings.api_keys:
        yield warning(
            f"whoever reaches this machine may use the /indexes API: SIDECAR_HOST is {settings.host}, and no "
            "SIDECAR_API_KEYS are set.",
            "Set SIDECAR_API_KEYS, or let nobody but a proxy reach the port.",
        )
    if settings.native_port is not None and not _has_users(settings):
        yield warning(
            f"whoever reaches this machine may do anything with the cluster: SIDECAR_HOST is {settings.host}, the "
            "OpenSearch port asks for no API key, and the cluster knows no users.",
            "Use a cluster with the Security plugin, set SIDECAR_NATIVE_PORT to nothing, or let nobody reach the port.",
        )
    if settings.tls_certificate is None:
        yield warning(
            f"keys and documents pass unencrypted: SIDECAR_HOST is {settings.host}, without SIDECAR_TLS_CERTIFICATE.",
            "Set a certificate, or put a proxy that speaks TLS before the server.",
        )


def _has_users(settings: Settings) -> bool:
    """Whether the cluster wants a user and a password, as the sidecar itself then has."""
    return settings.opensearch_url is not None and "@" in settings.opensearch_url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
