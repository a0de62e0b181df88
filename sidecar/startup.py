"""What goes on behind the open port: the embedded node is started, models are loaded ahead, dead loads tidied up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from sidecar.config import Settings
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import EmbeddedNodeError, OpenSearchTimeout, OpenSearchUnreachable, SidecarError, reason_of
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.cluster_health import Troubles, find_troubles
from sidecar.opensearch.load_settings import LoadSettings
from sidecar.opensearch.node import Progress, RunningNode, ensure_running

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""Between two tries to have what the first one could not get: a port that was taken, a hub that was away."""
WATCH_SECONDS = 1.0
"""Between two looks whether the embedded node still runs."""


class Startup:
    """Starts in the background what the sidecar needs before it is ready, and knows what is still missing."""

    def __init__(
        self,
        settings: Settings,
        *,
        address: ClusterAddress,
        cluster: Cluster,
        models: ModelCache,
        preload: Sequence[ModelSpec],
    ) -> None:
        self._settings = settings
        self._address = address
        self._cluster = cluster
        self._models = models
        self._stopping = threading.Event()
        self._node: RunningNode | None = None
        self._node_progress = "the embedded OpenSearch starts"
        self._told_step = ""
        self._missing_models = {spec.name: f"model {spec.name!r} is being loaded" for spec in preload}
        self._preload = preload
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Start the work; returns at once."""
        if self._settings.uses_embedded_node:
            self._run(self._keep_node, "embedded-node")
        if self._preload:
            self._run(self._load_models, "preload-models")

    def restore_loads(self) -> None:
        """Undo in the background, as soon as the cluster is there, what loads that died have left; returns at once."""
        # Not waited for at the end: it may be broken off anywhere.
        threading.Thread(target=self._restore_loads, name="restore-loads", daemon=True).start()

    def troubles(self) -> Troubles:
        """What is missing or amiss; the sidecar is ready where there are no reasons against it. Asks the cluster."""
        reasons = list(self._missing_models.values())
        if not self._address.is_known:
            return Troubles([self._node_progress, *reasons], [])
        of_cluster = find_troubles(self._cluster)
        return Troubles([*of_cluster.reasons, *reasons], of_cluster.warnings)

    def close(self) -> None:
        """Stop the work and end the use of the embedded node, which stops with its last user.

        A node that is just starting is stopped; a model that is just being loaded is waited for.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._node is not None:
            self._node.release()
            self._node = None

    def _run(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _keep_node(self) -> None:
        while not self._stopping.is_set():
            try:
                self._node = ensure_running(self._settings, on_progress=self._note_progress)
            except (SidecarError, OSError) as error:
                if self._stopping.is_set():
                    return
                # A disk that is full, or may not be written to, as often as not.
                reason = error.message if isinstance(error, SidecarError) else f"{error.filename}: {reason_of(error)}."
                logger.error("no embedded OpenSearch: %s", reason)
                self._lose(reason)
                self._stopping.wait(RETRY_SECONDS)
            else:
                self._address.announce(self._node.url)
                logger.info("the embedded OpenSearch is there url=%s", self._node.url)
                self._watch(self._node)

    def _watch(self, node: RunningNode) -> None:
        """Return when the node must be had anew: it died, or was stopped by hand and started again."""
        while not self._stopping.wait(WATCH_SECONDS):
            if not node.has_ended():
                continue
            if node.is_wanted():
                logger.error("the embedded OpenSearch died and is started again pid=%d", node.pid)
                self._lose("The embedded OpenSearch died; it is being started again. Try again in some seconds.")
                node.release()
                self._node = None
                return
            self._lose("The embedded OpenSearch was stopped by hand. Start it with: sidecar opensearch start")

    def _lose(self, reason: str) -> None:
        self._node_progress = reason
        self._address.fail(EmbeddedNodeError(reason))

    def _note_progress(self, progress: Progress) -> None:
        if self._stopping.is_set():
            raise EmbeddedNodeError("The sidecar stops.")
        if progress.text != self._told_step:
            self._told_step = progress.text
            logger.info("embedded OpenSearch: %s", progress.text)
        share = "" if progress.fraction is None else f" ({progress.fraction:.0%})"
        self._node_progress = f"The embedded OpenSearch is not there yet: {progress.text}{share}."

    def _restore_loads(self) -> None:
        while not self._stopping.wait(0 if self._address.is_known else WATCH_SECONDS):
            if not self._address.is_known:
                continue
            try:
                restored = LoadSettings(self._cluster).restore_abandoned()
            except (OpenSearchUnreachable, OpenSearchTimeout):
                self._stopping.wait(RETRY_SECONDS)
            except SidecarError as error:
                logger.warning("what loads that died have left can't be looked up: %s", error.message)
                return
            else:
                for index in restored:
                    logger.info("the settings that a dead load has left are restored index=%s", index)
                return

    def _load_models(self) -> None:
        left = list(self._preload)
        while left and not self._stopping.is_set():
            left = [spec for spec in left if not self._load(spec)]
            if left:
                self._stopping.wait(RETRY_SECONDS)

    def _load(self, spec: ModelSpec) -> bool:
        if self._stopping.is_set():
            return False
        try:
            self._models.get(spec)
        except SidecarError as error:
            logger.error("a model can't be preloaded name=%s reason=%s", spec.name, error.message)
            told = f"model {spec.name!r} can't be preloaded: {error.message.rstrip('.')}"
            self._missing_models[spec.name] = f"{told}. The next try comes within {RETRY_SECONDS:g} s."
            return False
        del self._missing_models[spec.name]
        return True
