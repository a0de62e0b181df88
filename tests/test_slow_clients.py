"""Which clients are slow, and when they are let go."""

from __future__ import annotations

import threading
import time

import pytest

from sidecar import slow_clients
from sidecar.slow_clients import LEAST_RATE, Pulse, SlowClients

GRACE = 5.0


def pulse_after(seconds: float, received: int, *, silent_for: float | None) -> tuple[Pulse, float]:
    """The pulse of a request that began so long ago, and the time it is now."""
    pulse = Pulse(lambda: None)
    pulse.begin_request()
    pulse.end_wait(received)
    if silent_for is not None:
        pulse.begin_wait()
        return pulse, time.monotonic() + max(seconds, silent_for)
    return pulse, time.monotonic() + seconds


@pytest.mark.parametrize(
    ("seconds", "received", "is_slow"),
    [
        (4.0, 0, False),
        (5.5, 0, True),
        (5.5, 100, True),
        (60.0, 60, True),
    ],
)
def test_who_sends_little_is_slow_when_his_time_is_over(seconds: float, received: int, *, is_slow: bool) -> None:
    pulse, now = pulse_after(seconds, received, silent_for=0.0)
    assert pulse.is_slow(now, GRACE) is is_slow


def test_who_has_sent_much_and_is_silent_then_is_slow_too() -> None:
    pulse, now = pulse_after(6.0, 10**9, silent_for=6.0)
    assert pulse.is_slow(now, GRACE)


def test_who_sends_enough_may_take_long() -> None:
    pulse = Pulse(lambda: None)
    pulse.begin_request()
    pulse.end_wait(LEAST_RATE * 100)
    pulse.begin_wait()
    assert not pulse.is_slow(time.monotonic() + 4.9, GRACE)


def test_nobody_is_slow_while_no_thread_waits_for_him() -> None:
    pulse, now = pulse_after(1000.0, 10, silent_for=None)
    assert not pulse.is_slow(now, GRACE)


def test_slow_clients_are_let_go_only_where_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(slow_clients, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(slow_clients, "LEAST_GRACE_SECONDS", 0.05)
    clients = SlowClients(threads=1)
    clients.begin()
    gone = threading.Event()
    pulse = Pulse(gone.set)
    clients.queued()
    clients.taken(pulse)
    pulse.begin_wait()
    assert not gone.wait(0.3)
    clients.queued()
    assert gone.wait(10)
    clients.done(pulse)
