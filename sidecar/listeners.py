"""Sockets that listen for clients, and why one can't be had."""

from __future__ import annotations

import errno
import socket

from sidecar.config import environment_name
from sidecar.errors import ConfigurationError

BACKLOG = 2048
"""Connections that may wait to be accepted."""


def open_listener(host: str, port: int, setting: str = "port") -> socket.socket:
    """A socket that listens there; port 0 means any free one. ``setting`` is the one that has the port.

    Raises: ConfigurationError where it can't be had, naming the setting to change.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # gunicorn sets it too, but for connections that are made before it does the head and the body of each answer
        # would stay 40 ms apart as long as they last.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except socket.gaierror as error:
        raise ConfigurationError(f"SIDECAR_HOST: no address is known for {host!r} ({error.strerror}).") from error
    except OSError as error:
        raise _cannot_listen(host, port, setting, error) from error
    return listener


def url_of(host: str, port: int, *, is_tls: bool) -> str:
    """The URL of a server there; an address of IPv6 stands in brackets."""
    return f"{'https' if is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _cannot_listen(host: str, port: int, setting: str, error: OSError) -> ConfigurationError:
    where = f"--{setting.replace('_', '-')} or {environment_name(setting)}"
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"Port {port} of {host} is taken by another program. Stop that one, or choose another port with {where}."
        )
    if error.errno == errno.EACCES:
        return ConfigurationError(
            f"Port {port} of {host} is for privileged users only. Choose one above 1023 with {where}."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(f"SIDECAR_HOST: {host} is not an address of this machine.")
    return ConfigurationError(f"The sidecar can't listen on port {port} of {host}: {error.strerror}.")
