"""The certificate by which clients know the server, checked before it is used."""

from __future__ import annotations

import ssl
from pathlib import Path

from sidecar.errors import ConfigurationError

_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What the listeners speak TLS with: TLS 1.2 or later; None where no certificate is given.

    ``certificate`` is a PEM file of the certificate and those that lead to its authority; ``key`` of its private key,
    which may stand in the same file.
    Raises: ConfigurationError, naming the setting whose file can't be used.
    """
    if certificate is None:
        if key is not None:
            raise ConfigurationError("SIDECAR_TLS_KEY: there is no SIDECAR_TLS_CERTIFICATE that the key belongs to.")
        return None
    _check_readable("SIDECAR_TLS_CERTIFICATE", certificate)
    if key is not None:
        _check_readable("SIDECAR_TLS_KEY", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(certificate, key, error) from error
    return context


def validity_problem(context: ssl.SSLContext, certificate: Path) -> str | None:
    """What clients will say of the certificate's dates, as ``has expired``; None where nothing is wrong with them.

    A handshake in memory asks OpenSSL, since Python can't read certificates.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    try:
        _shake_hands(client, context)
    except ssl.SSLCertVerificationError as error:
        return {_EXPIRED: "has expired", _NOT_YET_VALID: "is not valid yet"}.get(error.verify_code)
    return None


def _check_readable(setting: str, path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} can't be read: {error.strerror}.") from error


def _refuse_password() -> str:
    raise ConfigurationError("SIDECAR_TLS_KEY: the key is encrypted. Give one without a password.")


def _unusable(certificate: Path, key: Path | None, error: OSError) -> ConfigurationError:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return ConfigurationError(f"SIDECAR_TLS_KEY: {key or certificate} is not the key of {certificate}.")
    return ConfigurationError(
        f"SIDECAR_TLS_CERTIFICATE: {certificate}, with the key of {key or 'the same file'}, can't be used"
        f"{f' ({reason})' if reason else ''}: both must be PEM, the certificate first of its chain."
    )


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    while sides:
        for side in tuple(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
