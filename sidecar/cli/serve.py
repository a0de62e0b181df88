"""``sidecar serve``: the server."""

from __future__ import annotations

import errno
import json
import logging
import socket
from typing import Any, get_origin

import click

from sidecar.config import Settings, environment_name, load_settings, tell_marqo_variables
from sidecar.errors import ConfigurationError, SidecarError
from sidecar.logs import configure_logging
from sidecar.tls import server_context, validity_problem

logger = logging.getLogger(__name__)

_MACHINES_OWN = {"machine_java_home"}
"""Settings that are the machine's, not the sidecar's: no option has them."""


def open_listener(host: str, port: int, setting: str = "port") -> socket.socket:
    """A socket that listens there; port 0 means any free one. ``setting`` is the one that has the port.

    Raises: ConfigurationError where it can't be had, naming the setting to change.
    """
    from sidecar.wsgi import BACKLOG

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


class _Serve(click.Command):
    """A command whose options are the settings, so that no function has a parameter for each."""

    def invoke(self, ctx: click.Context) -> None:
        """Run the server; an error of ours is one line, and exit status 1."""
        from sidecar.wsgi import Server

        try:
            options = {name: _value(name, text) for name, text in ctx.params.items()}
            settings = load_settings(**options)
            configure_logging(settings.log_level, settings.log_format)
            tell_marqo_variables(**options)
            _check_certificate(settings)
            listener = open_listener(settings.host, settings.port)
            native = None
            if settings.native_port is not None:
                native = open_listener(settings.host, settings.native_port, "native_port")
        except SidecarError as error:
            raise click.ClickException(error.message) from error
        Server(settings, listener, native).run()


def _check_certificate(settings: Settings) -> None:
    """Warn of a certificate that clients will not accept. Raises: ConfigurationError for one that can't be used."""
    context = server_context(settings.tls_certificate, settings.tls_key)
    if context is None or settings.tls_certificate is None:
        return
    problem = validity_problem(context, settings.tls_certificate)
    if problem is not None:
        logger.warning("the certificate %s: clients will refuse it file=%s", problem, settings.tls_certificate)


def _value(name: str, text: str | None) -> Any:
    """An option's text as `load_settings` takes it: lists are JSON, as in the environment."""
    if text is None or get_origin(Settings.model_fields[name].annotation) is not tuple:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            f'{environment_name(name)}: must be a JSON list, as ["a"] (given: {text!r})'
        ) from error


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            [f"--{name.replace('_', '-')}", name],
            metavar="VALUE",
            help=f"{field.description} [{environment_name(name)}{_default(field.default)}]",
        )
        for name, field in Settings.model_fields.items()
        if name not in _MACHINES_OWN
    ]


def _default(value: object) -> str:
    return f"; {value}" if isinstance(value, (str, int, float)) and value != "" else ""


serve = _Serve(
    "serve",
    params=_options(),
    short_help="Run the server.",
    help="Run the server until it is told to stop (Ctrl-C, SIGTERM).\n\n"
    "Every option is also an environment variable, and may stand in a file named .env in the working folder.",
)
