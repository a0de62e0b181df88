"""How checks are run, and that each is there and told."""

from __future__ import annotations

import pytest

from sidecar.doctor import clock
from sidecar.doctor.finding import Level
from sidecar.doctor.registry import CHECKS, run_checks
from sidecar.errors import EmbeddedNodeError
from tests.doctor.looking import NOBODY, about, levels


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (KeyError("nodes"), "this could not be looked at: KeyError: 'nodes'"),
        (EmbeddedNodeError("no user 'nobody'"), "no user 'nobody'"),
    ],
)
def test_a_check_that_fails_says_so_and_keeps_no_other_from_running(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, told: str
) -> None:
    def fail(*arguments: object) -> None:
        raise fault

    monkeypatch.setattr(clock, "judge", fail)
    results = dict(run_checks(["clock", "java"], about(opensearch_url=NOBODY)))
    assert levels(results["clock"]) == [Level.ERROR]
    assert results["clock"][0].found == told
    assert levels(results["java"]) == [Level.OK]


@pytest.mark.parametrize("name", list(CHECKS))
def test_every_check_answers_its_question(name: str) -> None:
    ((ran, findings),) = run_checks([name], about(opensearch_url=NOBODY))
    assert ran == name
    assert findings
    assert not any("could not be looked at" in finding.found for finding in findings)
