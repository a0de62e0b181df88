"""The checks there are, and how they are run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from sidecar.doctor.finding import Finding, error
from sidecar.errors import SidecarError

if TYPE_CHECKING:
    from sidecar.doctor.surroundings import Surroundings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """A kind of check. ``module`` has the function ``check``, and is imported when it runs; ``question`` is what it
    answers."""

    module: str
    question: str


CHECKS: Mapping[str, Check] = {
    "settings": Check("sidecar.doctor.settings", "Are the settings valid, and do they go together?"),
    "packages": Check("sidecar.doctor.packages", "Are Python and the packages there, and recent enough?"),
    "processors": Check("sidecar.doctor.processors", "What can the processors do, and how many may be used?"),
    "memory": Check("sidecar.doctor.memory", "Is there memory for the node and the models?"),
    "disk": Check("sidecar.doctor.disk", "Is there room on the disks, and may they be written to?"),
    "limits": Check("sidecar.doctor.limits", "May the process open enough files and start enough threads?"),
    "clock": Check("sidecar.doctor.clock", "Is the clock right?"),
    "java": Check("sidecar.doctor.java", "Is there a Java that can run the embedded OpenSearch?"),
    "ports": Check("sidecar.doctor.ports", "Are the ports free, or the sidecar's own?"),
    "cluster": Check("sidecar.doctor.cluster", "Does the cluster answer, and can it do what the sidecar needs?"),
    "models": Check("sidecar.doctor.models", "Are the preloaded models there, and is the cache of models sound?"),
}
"""Every kind of check, in the order in which they run."""

Look = Callable[["Surroundings"], Iterable[Finding]]
"""What a check's module does: it only reads. Raises: SidecarError, where that itself is what is wrong."""


def run_checks(names: Sequence[str], about: Surroundings) -> Iterator[tuple[str, list[Finding]]]:
    """Run the checks of these names, one after another; each is yielded when it is done. One that fails says so, and
    keeps no other from running."""
    for name in names:
        yield name, _run(name, about)


def _run(name: str, about: Surroundings) -> list[Finding]:
    findings: list[Finding] = []
    try:
        look = cast(Look, import_module(CHECKS[name].module).check)
        findings.extend(look(about))
    except SidecarError as failed:
        findings.append(error(failed.message, "The sidecar would say the same when it starts; mend this first."))
    except Exception as failed:
        logger.debug("a check failed name=%s", name, exc_info=failed)
        told = " ".join(str(failed).split())
        findings.append(
            error(
                f"this could not be looked at: {type(failed).__name__}: {told}",
                "Look at what is named there. Where nothing is wrong with it, it is a fault of the check.",
            )
        )
    return findings
