"""``sidecar serve``: the server."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from sidecar.cli.exit_statuses import ExitStatus
from sidecar.config import Settings, environment_name, is_secret, json_form
from sidecar.errors import ConfigurationError
from sidecar.given_settings import load_settings, tell_marqo_variables
from sidecar.listeners import open_listener
from sidecar.logs import configure_logging
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import ConnectionPool, TransportOptions
from sidecar.tls import server_context, validity_problem

logger = logging.getLogger(__name__)

_MACHINES_OWN = {"machine_java_home"}
"""Settings that are the machine's, not the sidecar's: no option has them."""


class _Serve(click.Command):
    """A command whose options are the settings, so that no function has a parameter for each."""

    def invoke(self, ctx: click.Context) -> None:
        """Run the server."""
        from gunicorn.arbiter import Arbiter

        from sidecar.wsgi import Server

        options = {name: _value(name, text) for name, text in ctx.params.items()}
        settings = load_settings(**options)
        configure_logging(settings.log_level, settings.log_format)
        tell_marqo_variables(**options)
        _check_certificate(settings)
        _check_cluster(settings)
        listener = open_listener(settings.host, settings.port)
        native = None
        if settings.native_port is not None:
            native = open_listener(settings.host, settings.native_port, "native_port")
        process = os.getpid()
        try:
            Server(settings, listener, native).run()
        except SystemExit as end:
            # The worker, a fork, passes here too: by its status the master knows that there is no use in another one.
            if end.code == Arbiter.APP_LOAD_ERROR and os.getpid() == process:
                ctx.exit(ExitStatus.REFUSED)
            raise


def _check_cluster(settings: Settings) -> None:
    """See that the cluster's URL and authorities can be read, before any port is open. Raises: ConfigurationError."""
    options = TransportOptions(verify_tls=settings.opensearch_verify_tls, ca_file=settings.opensearch_ca_file)
    ConnectionPool(ClusterAddress(settings.opensearch_url), options)


def _check_certificate(settings: Settings) -> None:
    """Warn of a certificate that clients will not accept. Raises: ConfigurationError for one that can't be used."""
    context = server_context(settings.tls_certificate, settings.tls_key)
    if context is None or settings.tls_certificate is None:
        return
    problem = validity_problem(context, settings.tls_certificate)
    if problem is not None:
        logger.warning("the certificate %s: clients will refuse it file=%s", problem, settings.tls_certificate)


def _value(name: str, text: str | None) -> Any:
    """An option's text as `load_settings` takes it: lists and objects are JSON, as in the environment."""
    form = json_form(name)
    if not text or form is None:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        told = "" if is_secret(name) else f" (given: {text!r})"
        raise ConfigurationError(f"{environment_name(name)}: must be {form}{told}") from error


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            [f"--{name.replace('_', '-')}", name],
            metavar="VALUE",
            shell_complete=_complete,
            help=f"{field.description} [{environment_name(name)}{_default(field.default)}]",
        )
        for name, field in Settings.model_fields.items()
        if name not in _MACHINES_OWN
    ]


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The values that a setting may have where they are few; files for those that name one."""
    kind = Settings.model_fields[parameter.name or ""].annotation
    if Path in (kind, *get_args(kind)):
        return [CompletionItem(incomplete, type="file")]
    choices = get_args(kind) if get_origin(kind) is Literal else ("true", "false") if kind is bool else ()
    return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


def _default(value: object) -> str:
    return f"; {value}" if isinstance(value, (str, int, float)) and value != "" else ""


serve = _Serve(
    "serve",
    params=_options(),
    short_help="Run the server.",
    help="Run the server until it is told to stop (Ctrl-C, SIGTERM).\n\n"
    "Every option is also an environment variable, and may stand in a file named .env in the working folder.",
)
