"""The work of `sidecar dashboards`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from sidecar.cli.consoles import progress_console
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.printable import echo
from sidecar.dashboards import DEFAULT_INDEX, Destination, grafana_dashboard, prometheus_alerts, saved_objects
from sidecar.dashboards import install as import_objects
from sidecar.given_settings import load_settings


def install(given: Mapping[str, Any]) -> int:
    """Import the saved objects; a `Work`."""
    configured = load_settings().metrics_index
    name = given["index"] or configured or DEFAULT_INDEX
    destination = Destination(given["url"], given["ca_file"], given["tenant"])
    with progress_console().status("OpenSearch Dashboards imports"):
        titles = import_objects(destination, saved_objects(name))
    if given[JSON]:
        echo_json({"index": name, "imported": titles, "is_written_to": configured is not None})
        return ExitStatus.DONE
    for title in titles:
        echo(title)
    if configured is None:
        echo(f"They stay empty until a sidecar runs with SIDECAR_METRICS_INDEX={name}.")
    return ExitStatus.DONE


def export(given: Mapping[str, Any]) -> int:
    """Write the saved objects to a file; a `Work`."""
    name = given["index"] or load_settings().metrics_index or DEFAULT_INDEX
    return _write(saved_objects(name), given, {"index": name})


def grafana(given: Mapping[str, Any]) -> int:
    """Write Grafana's dashboard to a file; a `Work`."""
    return _write(grafana_dashboard(), given, {})


def alerts(given: Mapping[str, Any]) -> int:
    """Write the rules for Prometheus to a file; a `Work`."""
    return _write(prometheus_alerts(), given, {})


def _write(content: bytes, given: Mapping[str, Any], told: Mapping[str, Any]) -> int:
    file = given["file"]
    file.write(content)
    if given[JSON]:
        # Standard output has the content where that goes there.
        is_output = file.name == "<stdout>"
        told = {**told, "file": "-" if is_output else file.name, "bytes": len(content)}
        echo_json(told, file=sys.stderr if is_output else None)
    return ExitStatus.DONE
