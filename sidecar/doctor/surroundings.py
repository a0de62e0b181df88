"""What checks look at: the settings, and the cluster that they name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from sidecar.config import Settings
from sidecar.doctor.sound_settings import SoundSettings
from sidecar.opensearch import node as nodes
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.node import NodeStatus
from sidecar.opensearch.transport import Transport
from sidecar.part_options import transport_options

PATIENCE_SECONDS = 10.0
"""For one answer of the cluster."""


@dataclass(frozen=True)
class Surroundings:
    """What is looked up is looked up once, when a check wants it."""

    read: SoundSettings

    @property
    def settings(self) -> Settings:
        """The settings that can be used."""
        return self.read.settings

    @cached_property
    def node(self) -> NodeStatus | None:
        """The embedded node, where it runs and serves. Raises: EmbeddedNodeError."""
        return nodes.status(self.settings) if self.settings.uses_embedded_node else None

    @cached_property
    def cluster(self) -> Cluster | None:
        """The cluster of the settings, whether it answers or not; None where it is an embedded node that does not run.

        Raises: ConfigurationError for an address or a file of authorities that can't be used; EmbeddedNodeError.
        """
        url = self.settings.opensearch_url or (self.node.url if self.node is not None else None)
        if url is None:
            return None
        timeout = min(PATIENCE_SECONDS, self.settings.opensearch_timeout)
        options = replace(transport_options(self.settings), timeout_seconds=timeout, connections=1)
        return Cluster(Transport(ClusterAddress(url), options))
