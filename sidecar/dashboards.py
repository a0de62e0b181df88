"""What OpenSearch Dashboards, Grafana and Prometheus are given to watch sidecars with, and how it gets there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import urllib3

from sidecar.errors import ConfigurationError, DashboardsError

DEFAULT_INDEX = "sidecar-metrics"
"""The metrics index that the saved objects are made for."""
TIMEOUT_SECONDS = 60.0
_IMPORT = "/api/saved_objects/_import?overwrite=true"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to import. ``tenant`` is one of the Security plugin's, None for the user's own choice."""

    url: str
    ca_file: Path | None = None
    tenant: str | None = None


def saved_objects(index: str = DEFAULT_INDEX) -> bytes:
    """The index pattern, visualizations and dashboard for a metrics index, as Dashboards exports and imports them."""
    text = files("sidecar.mappings").joinpath("dashboards").joinpath("sidecar.ndjson").read_bytes()
    if index == DEFAULT_INDEX:
        return text
    lines = [orjson.loads(line) for line in text.splitlines()]
    for saved in lines:
        if saved.get("type") == "index-pattern":
            saved["attributes"]["title"] = f"{index}*"
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def grafana_dashboard() -> bytes:
    """The dashboard for Grafana, as its JSON model; it asks for a Prometheus data source when it is imported."""
    return files("sidecar.mappings").joinpath("grafana").joinpath("sidecar.json").read_bytes()


def prometheus_alerts() -> bytes:
    """Alerting rules for Prometheus, as a rules file."""
    return files("sidecar.mappings").joinpath("prometheus").joinpath("alerts.yml").read_bytes()


def install(destination: Destination, objects: bytes) -> list[str]:
    """Import saved objects, over those of the same ids; returns the titles of what is there now.

    Raises: DashboardsError where Dashboards is away, refuses, or took only some; ConfigurationError for a bad URL.
    """
    url, headers = _address(destination)
    fields = {"file": ("sidecar.ndjson", objects, "application/x-ndjson")}
    pool = urllib3.PoolManager(ca_certs=None if destination.ca_file is None else str(destination.ca_file))
    try:
        answer = pool.request(
            "POST",
            url + _IMPORT,
            fields=fields,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise DashboardsError(f"OpenSearch Dashboards at {url} can't be reached: {_reason(error)}.") from error
    return _titles(url, answer.status, answer.data)


def _address(destination: Destination) -> tuple[str, dict[str, str]]:
    """The URL without its credentials, and the headers of a request."""
    try:
        parsed = urllib3.util.parse_url(destination.url)
    except urllib3.exceptions.LocationParseError as error:
        raise ConfigurationError(f"{destination.url!r} is not a URL.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigurationError("The URL of Dashboards must look like http://localhost:5601.")
    # Without this header Dashboards refuses whatever changes something.
    headers = {"osd-xsrf": "true"}
    if parsed.auth:
        headers |= urllib3.util.make_headers(basic_auth=unquote(parsed.auth))
    if destination.tenant is not None:
        headers["securitytenant"] = destination.tenant
    return parsed._replace(auth=None).url.rstrip("/"), headers


def _titles(url: str, status: int, body: bytes) -> list[str]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict) or (status == 200 and "success" not in answer):
        raise DashboardsError(
            f"What answers at {url} ({status}) is not OpenSearch Dashboards; its port is mostly 5601."
        )
    if status in {401, 403}:
        raise DashboardsError(
            f"OpenSearch Dashboards at {url} refused the user ({status}): name one in the URL, as "
            "http://user:password@localhost:5601, who may write saved objects."
        )
    if status != 200:
        raise DashboardsError(f"OpenSearch Dashboards at {url} refused ({status}): {answer.get('message', answer)}")
    failed: Sequence[Mapping[str, Any]] = answer.get("errors", [])
    if not answer["success"] or failed:
        told = "; ".join(f"{one.get('type')} '{one.get('id')}': {_cause(one.get('error', {}))}" for one in failed)
        raise DashboardsError(f"Dashboards imported {answer.get('successCount', 0)} saved objects, and not: {told}")
    return [one["meta"].get("title", one["id"]) for one in answer.get("successResults", [])]


def _cause(error: Mapping[str, Any]) -> str:
    """What an import error says: its own message, or what its type stands for."""
    if error.get("type") == "missing_references":
        return "it needs " + ", ".join(f"{one['type']} '{one['id']}'" for one in error.get("references", []))
    return str(error.get("message") or error.get("type"))


def _reason(error: Exception) -> str:
    """A library's error in its own words, without the names of its objects."""
    text = re.sub(r"<[^>]*>:? ?|\w+Pool\([^)]*\):? ?|\w+Connection\([^)]*\):? ?", "", str(error))
    return text.strip().rstrip(".") or type(error).__name__
