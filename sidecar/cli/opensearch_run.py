"""The work of `sidecar opensearch`."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from types import FrameType
from typing import Any

from sidecar.cli.consoles import node_progress, progress_console
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.printable import echo
from sidecar.config import Settings
from sidecar.given_settings import load_settings
from sidecar.opensearch import node as nodes
from sidecar.opensearch.node import NodeStatus, RunningNode

_NOTHING_RUNS = "No embedded OpenSearch runs."


def start(given: Mapping[str, Any]) -> int:
    """Start the node; a `Work`."""
    options = {name: value for name, value in given.items() if name not in (JSON, "ephemeral")}
    settings = load_settings(**options)
    if given["ephemeral"]:
        return _run_ephemeral(settings, as_json=given[JSON])
    with node_progress(progress_console()) as report:
        node = nodes.start_by_hand(settings, on_progress=report)
    if given[JSON]:
        echo_json(_started(node))
    else:
        already = "" if node.started_by_us else " (it ran already)"
        echo(f"OpenSearch {node.version} runs at {node.url}{already}, process {node.pid}, data in {node.data}.")
    return ExitStatus.DONE


def stop(given: Mapping[str, Any]) -> int:
    """Stop the node; a `Work`."""
    with progress_console().status("OpenSearch stops"):
        pid = nodes.stop(load_settings(home=given["home"]))
    if given[JSON]:
        echo_json({"stopped": pid is not None, "pid": pid})
    else:
        echo(_NOTHING_RUNS if pid is None else f"OpenSearch stopped (process {pid}).")
    return ExitStatus.DONE


def status(given: Mapping[str, Any]) -> int:
    """Tell how the node is; a `Work`."""
    found = nodes.status(load_settings(home=given["home"]))
    if given[JSON]:
        echo_json({"running": False} if found is None else _running(found))
    elif found is None:
        echo(_NOTHING_RUNS)
    else:
        _tell(found)
    return ExitStatus.FAILED if found is None else ExitStatus.DONE


def _tell(found: NodeStatus) -> None:
    echo(f"OpenSearch {found.version} {'runs' if found.ready else 'is starting'} at {found.url}")
    echo(f"process  {found.pid}, {'started by hand' if found.by_hand else 'stops with its last user'}")
    echo(f"used by  {', '.join(f'process {pid}' for pid in found.users) or 'no sidecar'}")
    echo(f"data     {found.data}")
    echo(f"log      {found.log}")


def _running(found: NodeStatus) -> dict[str, Any]:
    return {
        "running": True,
        "ready": found.ready,
        "url": found.url,
        "version": found.version,
        "pid": found.pid,
        "by_hand": found.by_hand,
        "users": found.users,
        "data": found.data,
        "log": found.log,
    }


def _started(node: RunningNode) -> dict[str, Any]:
    return {
        "url": node.url,
        "version": node.version,
        "pid": node.pid,
        "data": node.data,
        "ran_already": not node.started_by_us,
    }


def _run_ephemeral(settings: Settings, *, as_json: bool) -> int:
    """Run an ephemeral node until Ctrl-C or SIGTERM, and leave nothing behind."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with node_progress(progress_console()) as report:
            node = nodes.ensure_running(settings, ephemeral=True, on_progress=report)
        with node:
            if as_json:
                echo_json(_started(node))
            else:
                echo(f"OpenSearch {node.version} runs at {node.url}, process {node.pid}; Ctrl-C removes it.")
            signal.pause()
    except KeyboardInterrupt:
        echo("OpenSearch stopped, its data removed.", err=as_json)
    return ExitStatus.DONE


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
