"""Whether the clock is right: certificates, tokens and the order of writes go by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import sidecar
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings
from sidecar.errors import SidecarError

MOST_SKEW_SECONDS = 30.0
_DAY_SECONDS = 86_400.0
_SET = "Set the clock, and let it be kept right (NTP: timedatectl set-ntp true)."


def check(about: Surroundings) -> Iterator[Finding]:
    """The clock against the age of the sidecar's own files, and against the cluster's clocks where it answers."""
    installed = Path(sidecar.__file__).stat().st_mtime
    yield judge(time.time(), installed)
    yield from _skew(about)


def judge(now: float, installed: float) -> Finding:
    """Whether a time may be right, both in seconds since 1970: none is before the sidecar was installed."""
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < installed - _DAY_SECONDS:
        return error(f"it is {told} by the clock, which is before the sidecar was installed.", _SET)
    return ok(f"it is {told} by the clock")


def judge_skew(seconds: float) -> Finding:
    """How far a cluster's clock is from this machine's; where it is ahead, it is positive."""
    if abs(seconds) > MOST_SKEW_SECONDS:
        way = "ahead of" if seconds > 0 else "behind"
        return warning(f"the cluster's clock is {abs(seconds):.0f} s {way} this machine's.", f"{_SET[:-1]} on both.")
    return ok("the cluster's clock agrees")


def _skew(about: Surroundings) -> Iterator[Finding]:
    try:
        if about.cluster is None:
            return
        asked = time.time()
        answer = about.cluster.status_call("/_nodes/stats/os?filter_path=nodes.*.os.timestamp")
        middle = (asked + time.time()) / 2
    except SidecarError:
        return  # of a cluster that does not answer, the check of the cluster tells
    clocks = [node["os"]["timestamp"] / 1000 - middle for node in answer.get("nodes", {}).values()]
    if clocks:
        yield judge_skew(max(clocks, key=abs))
