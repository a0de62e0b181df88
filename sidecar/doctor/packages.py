"""Whether Python and the packages are there, and recent enough."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

from sidecar import __version__
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.surroundings import Surroundings

DISTRIBUTION = "vector-sidecar"
_FOR_DEVELOPERS = {"docs", "lint", "test"}


def check(about: Surroundings) -> Iterator[Finding]:
    """Python, what is always needed, and each extra: all of it, or what of it is missing."""
    try:
        installed = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        yield warning(
            f"the sidecar {__version__} is not installed as a package, so what it needs is not known.",
            f"Install it: pip install {DISTRIBUTION}",
        )
        return
    yield from _python((installed.metadata.get_all("Requires-Python") or [None])[0])
    requirements = [Requirement(text) for text in installed.requires or []]
    faults = [fault for one in requirements if _is_needed(one, "") and (fault := fault_of(one))]
    if faults:
        yield error(
            f"packages that the sidecar can't do without: {'; '.join(faults)}.",
            f"Install it anew: pip install --upgrade --force-reinstall {DISTRIBUTION}",
        )
    else:
        yield ok(f"sidecar {__version__}, with all packages that it needs, in {Path(sys.prefix)}")
    for extra in sorted(set(installed.metadata.get_all("Provides-Extra") or ()) - _FOR_DEVELOPERS):
        yield extra_finding(extra, requirements)


def fault_of(requirement: Requirement) -> str | None:
    """What is wrong with the package that is required: it is missing or too old; None where nothing is."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    fits = requirement.specifier.contains(version, prereleases=True)
    return None if fits else f"{requirement.name} is {version}, and {requirement.specifier} is needed"


def _python(wanted: str | None) -> Iterator[Finding]:
    found = f"Python {platform.python_version()} ({sys.executable})"
    if wanted is None or Requirement(f"python{wanted}").specifier.contains(platform.python_version(), prereleases=True):
        yield ok(found)
    else:
        yield error(f"{found}; {wanted} is needed.", "Install the sidecar with another Python.")


def _is_needed(requirement: Requirement, extra: str) -> bool:
    """Whether it holds with that extra, which is empty for none."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def extra_finding(extra: str, requirements: Iterable[Requirement]) -> Finding:
    """Whether all that an extra adds to the requirements is there."""
    own = [one for one in requirements if _is_needed(one, extra) and not _is_needed(one, "")]
    faults = {one.name: fault for one in own if (fault := fault_of(one))}
    install = f"pip install '{DISTRIBUTION}[{extra}]'"
    if not faults:
        return ok(f"extra {extra}: there ({', '.join(one.name for one in own)})")
    outdated = [fault for fault in faults.values() if not fault.endswith(" is missing")]
    if outdated:
        return warning(f"extra {extra}: {'; '.join(outdated)}.", f"Bring it up to date: {install} --upgrade")
    return ok(f"extra {extra}: not installed, without {', '.join(faults)}; where it is wanted: {install}")
