"""Finding a Java that can run OpenSearch: a full JDK, 21 or later."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sidecar.config import Settings
from sidecar.errors import EmbeddedNodeError, reason_of
from sidecar.opensearch.node.account import Account
from sidecar.opensearch.node.progress import Progress, Report, silent

OLDEST = 21
DOWNLOADED = "25"  # the release that OpenSearch's own images carry
# Missing from trimmed runtimes: Lucene's vector arithmetic, and the locales of dates.
MODULES = ("jdk.incubator.vector", "jdk.localedata")
SYSTEM_FOLDER = Path("/usr/lib/jvm")
PROBE_SECONDS = 20
WAYS_OUT = (
    f"Install a full JDK {OLDEST} or later (and name it in OPENSEARCH_JAVA_HOME), "
    "or set OPENSEARCH_URL to a running cluster."
)


@dataclass(frozen=True)
class Java:
    """A fit Java: its program, and its version as it tells it, such as 25.0.3."""

    program: Path
    version: str


class UnfitJava(Exception):
    """This Java can't run OpenSearch; the text says why, as the end of a sentence."""


def find_java(
    settings: Settings, account: Account | None, *, download_folder: Path | None, report: Report = silent
) -> Java:
    """The first fit Java of: OPENSEARCH_JAVA_HOME, JAVA_HOME, PATH, /usr/lib/jvm, and a download by cjdk.

    A Java named by OPENSEARCH_JAVA_HOME is the only one looked at. No download folder, no download.
    Raises: EmbeddedNodeError naming every place that was looked at and what is wrong with it.
    """
    if settings.java_home is not None:
        program = settings.java_home / "bin" / "java"
        try:
            return probe(program, account)
        except UnfitJava as unfit:
            raise EmbeddedNodeError(f"OPENSEARCH_JAVA_HOME: {program} {unfit}. {WAYS_OUT}") from unfit
    looked_at = ["OPENSEARCH_JAVA_HOME (not set)"]
    for place, installed in _installed(settings.machine_java_home):
        if installed is None:
            looked_at.append(f"{place} (none)")
            continue
        try:
            return probe(installed, account)
        except UnfitJava as unfit:
            looked_at.append(f"{place} ({installed} {unfit})")
    if download_folder is not None:
        try:
            return probe(_download(download_folder, report), account)
        except UnfitJava as unfit:
            looked_at.append(f"a download by cjdk ({unfit})")
    raise EmbeddedNodeError(f"No Java was found that can run OpenSearch. Looked at: {'; '.join(looked_at)}. {WAYS_OUT}")


def probe(program: Path, account: Account | None) -> Java:
    """Run the program, as the user the node will run as, to learn what it is.

    Raises: UnfitJava where it is missing, can't be run, is too old, or lacks a module.
    """
    if not program.exists():
        raise UnfitJava("is not there")
    said = _run(program, account, "-XshowSettings:properties", "-version")
    release = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", said)
    full = re.search(r"java\.version = (\S+)", said)
    home = re.search(r"java\.home = (.+)", said)
    if release is None or full is None or home is None:
        raise UnfitJava("does not answer as a Java does")
    if int(release.group(1)) < OLDEST:
        raise UnfitJava(f"is Java {release.group(1)}, and {OLDEST} or later is needed")
    modules = _run(program, account, "--list-modules")
    missing = [module for module in MODULES if module not in modules]
    if missing:
        raise UnfitJava(f"is a trimmed runtime without {' and '.join(missing)}, and a full JDK is needed")
    # The program may be a version manager's launcher, which needs a whole environment; this one does not.
    return Java(Path(home.group(1).strip()) / "bin" / "java", full.group(1))


def _installed(machine_java_home: Path | None) -> Iterator[tuple[str, Path | None]]:
    yield "JAVA_HOME", machine_java_home / "bin" / "java" if machine_java_home else None
    on_path = shutil.which("java")
    yield "PATH", Path(on_path) if on_path else None
    in_system = sorted(SYSTEM_FOLDER.glob("*/bin/java"), reverse=True)
    if not in_system:
        yield str(SYSTEM_FOLDER), None
    for program in in_system:
        yield str(SYSTEM_FOLDER), program


def _run(program: Path, account: Account | None, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except PermissionError as error:
        who = f"user '{account.name}'" if account else "your user"
        raise UnfitJava(f"can't be run by {who}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnfitJava(f"can't be run: {error}") from error
    return done.stdout


def _without_noise(error: Exception) -> str:
    """The error's words; of one without a connection no more than that, for a library's are a paragraph."""
    import requests

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectionError):
            return "there is no connection to its makers"
        cause = cause.__cause__ or cause.__context__
    return reason_of(error)


def _download(folder: Path, report: Report) -> Path:
    import cjdk

    report(Progress(f"downloading a JDK {DOWNLOADED} (about 200 MB), because no fit Java is installed"))
    fetch: Callable[..., Path] = cjdk.java_home
    try:
        home = fetch(vendor="temurin", version=DOWNLOADED, cache_dir=folder, progress=False)
    except (cjdk.CjdkError, OSError) as error:
        raise UnfitJava(f"failed: {_without_noise(error)}") from error
    return home / "bin" / "java"
