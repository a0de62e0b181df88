"""What a verification works with."""

from __future__ import annotations

import pytest

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_embedder, create_native_face
from sidecar.ingest.face_client import FaceClient
from sidecar.ingest.verification.parts import VerificationParts
from tests.fix_server import MakeClient, Sidecar
from tests.ingest.verification.planting import TEXT


@pytest.fixture
def parts(make_client: MakeClient, node: str) -> VerificationParts:
    """What a verification works with, in this process."""
    app = make_client(opensearch_url=node).application
    services: Services = app.extensions[EXTENSION]
    face = FaceClient(create_native_face(app))
    return VerificationParts(services.cluster, services.states, face, create_native_embedder(app))


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with one document, of several chunks."""
    sidecar.add(index, [{"_id": "good", "title": TEXT, "n": 1}])
    return index
