"""What the cluster says of the indexes that requests name, kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.facts import read_facts
from sidecar.native.kept_reads import KeptReads
from sidecar.native.reading import REFUSED, ClusterReader, Credentials
from sidecar.native.request import NativeRequest
from sidecar.native.targets import Options, index_options, index_target, is_one_name, local_part
from sidecar.native.write_targets import read_write_target
from sidecar.opensearch.switching import KNOWN_SECONDS, Place

TTL_SECONDS = KNOWN_SECONDS

_Found = tuple[IndexFacts, ...] | None


class Metadata:
    """Knows the indexes behind names; safe to use from any thread.

    What is read for one caller is kept for that caller only, save where an account of the sidecar's own reads it.
    ``changing`` is to be held while a mapping is read, changed and written.
    """

    def __init__(self, reader: ClusterReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.changing = threading.Lock()
        self._reader = reader
        self._found = KeptReads[tuple[str, Options, Credentials], _Found](seconds=TTL_SECONDS, clock=clock)
        self._written = KeptReads[tuple[str, Credentials], IndexFacts | None](seconds=TTL_SECONDS, clock=clock)

    def of(
        self, expression: str, request: NativeRequest, *, parameters: Mapping[str, str] | None = None
    ) -> tuple[IndexFacts, ...] | None:
        """The concrete indexes behind an index expression: a name, an alias, a data stream, date math, a pattern, or a
        list of these; empty text stands for all.

        ``parameters`` say what patterns and missing names mean (``expand_wildcards`` and its like): the request's own,
        where none are given. Indexes of remote clusters are left out (`sidecar.native.targets.has_remote`).
        None where the caller may not know them, or there are none: the request is the cluster's then.
        Raises: OpenSearchUnreachable, OpenSearchTimeout.
        """
        options = index_options(request.parameters if parameters is None else parameters)
        key = (expression, options, self._reader.credentials(request))
        return self._found.get(key, lambda: self._read(*key))

    def write_target(self, name: str, request: NativeRequest) -> IndexFacts | None:
        """The concrete index that writes by this name go to: the index itself, an alias's write index or only one, a
        data stream's newest. A name that is not there yet has the facts that the templates will give it. Where an alias
        of an index with rules leads is read each time: it may have moved to one with others.

        None as in `of`, and where the cluster refuses writes by the name. Raises: as `of`.
        """
        if not is_one_name(name):
            return None
        key = (name, self._reader.credentials(request))
        return self._written.get(key, lambda: self._read_target(*key))

    def place(self, name: str, request: NativeRequest) -> Place | None:
        """Where writes by this name go now, and whether they are blocked there; None as in `write_target`."""
        facts, _ = self._read_target(name, self._reader.credentials(request))
        return None if facts is None else Place(facts.name, facts.is_write_blocked)

    def read(self, expression: str, request: NativeRequest, *, parameters: Mapping[str, str]) -> tuple[int, bytes]:
        """The cluster's answer of now to what `of` asks for: status and body. Nothing of it is kept."""
        target = index_target(expression, index_options(parameters))
        return self._reader.ask(self._reader.credentials(request), "GET", target)

    def forget(self) -> None:
        """Read everything anew from now on: an index, alias, template or data stream was changed."""
        self._found.forget()
        self._written.forget()

    def _read_target(self, name: str, credentials: Credentials) -> tuple[IndexFacts | None, bool]:
        facts, is_kept = read_write_target(name, partial(self._reader.ask, credentials))
        return facts, is_kept and not (facts is not None and facts.has_rules and name in facts.aliases)

    def _read(self, expression: str, options: Options, credentials: Credentials) -> tuple[_Found, bool]:
        local = local_part(expression)
        if expression and not local:
            return None, True
        status, body = self._reader.ask(credentials, "GET", index_target(local, options))
        if status != 200:
            # A missing index may be there in a moment: a write makes it.
            return None, status in REFUSED
        found = read_facts(body)
        return found or None, bool(found)
