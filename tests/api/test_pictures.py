"""Pictures of documents that lie on the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.fix_clip import DATA
from tests.fix_server import SMALL, MakeClient

BELL = DATA / "emoji" / "1f514.png"


@pytest.fixture
def client(make_client: MakeClient, node: str, index_name: str, tmp_path: Path) -> FlaskClient:
    (tmp_path / "notes.png").write_text("no picture at all")
    client = make_client(opensearch_url=node, media_roots=(DATA, tmp_path))
    assert client.post(f"/indexes/{index_name}", json=SMALL).status_code == 200
    document = {
        "_id": "a/b",
        "picture": str(BELL),
        "text": str(tmp_path / "notes.png"),
        "outside": str(Path(__file__).parent / "test_pictures.py"),
        "number": 1,
    }
    body = {"documents": [document], "tensorFields": []}
    assert client.post(f"/indexes/{index_name}/documents", json=body).json["errors"] is False
    return client


def test_picture_of_a_document_is_sent_as_it_is(client: FlaskClient, index_name: str) -> None:
    answered = client.get(f"/indexes/{index_name}/picture?document=a%2Fb&field=picture")
    assert (answered.status_code, answered.mimetype) == (200, "image/png")
    assert answered.data == BELL.read_bytes()


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("document=a%2Fb&field=text", 400, "is not an image"),
        ("document=a%2Fb&field=outside", 400, "SIDECAR_MEDIA_ROOTS"),
        ("document=a%2Fb&field=number", 400, "has no text in field 'number'"),
        ("document=a%2Fb&field=picture.part", 400, "has no text in field 'picture.part'"),
        ("document=gone&field=picture", 404, "gone"),
        ("document=a%2Fb", 422, "field"),
    ],
)
def test_what_is_no_picture_of_a_document_is_refused(
    client: FlaskClient, index_name: str, query: str, status: int, told: str
) -> None:
    answered = client.get(f"/indexes/{index_name}/picture?{query}")
    assert answered.status_code == status
    assert told in answered.text


def test_an_alias_leads_to_the_pictures_of_its_index(client: FlaskClient, index_name: str) -> None:
    alias = f"{index_name}-alias"
    assert client.put(f"/indexes/{index_name}/aliases/{alias}").status_code == 200
    assert client.get(f"/indexes/{alias}/picture?document=a%2Fb&field=picture").data == BELL.read_bytes()
