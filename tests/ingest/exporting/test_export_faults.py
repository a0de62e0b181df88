"""An export that can't go on leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.errors import IndexNotFound, InvalidArgument, OpenSearchError
from sidecar.ingest.exporting.destinations import destination_of
from sidecar.ingest.exporting.export import Export, ExportStopped
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.ingest.progress import Progress
from sidecar.opensearch.client import Cluster
from tests.fix_opensearch import request
from tests.ingest.exporting.exports import exported, fill
from tests.native.declaring.indexes import send


def broken_off(node: str, cluster: Cluster, unread: str, to: str, error: type[Exception]) -> None:
    """Let an export raise an error after its first page."""
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(120)})

    def fail(documents: int) -> None:
        raise error("broken off")

    with pytest.raises(error):
        Export(cluster, ExportOptions(unread, to), progress=Progress(done=fail)).run()


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.zst", "x.parquet", "folder/", "file://"])
def test_nothing_is_left_of_an_export_that_fails(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, name: str
) -> None:
    to = f"file://{tmp_path}/x.jsonl" if name == "file://" else f"{tmp_path}/{name}"
    broken_off(node, cluster, unread, to, ValueError)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_where_the_new_export_fails(
    node: str, cluster: Cluster, unread: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("before")
    with pytest.raises(InvalidArgument, match="overwrite"):
        exported(cluster, unread, path)
    fill(node, unread, {"d": "{}"})
    export = Export(cluster, ExportOptions(unread, str(path), overwrite=True))
    export.stop()
    with pytest.raises(ExportStopped):
        export.run()
    assert path.read_text() == "before"
    assert exported(cluster, unread, path, overwrite=True).documents == 1
    assert path.read_text() == '{"_id":"d"}\n'


KILLED = """
import os, signal, sys
from sidecar.ingest.exporting.export import Export
from sidecar.ingest.progress import Progress
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport

cluster = Cluster(Transport(ClusterAddress(sys.argv[1]), TransportOptions()))
progress = Progress(done=lambda documents: os.kill(os.getpid(), signal.SIGKILL))
Export(cluster, ExportOptions(sys.argv[2], sys.argv[3]), progress=progress).run()
"""


@pytest.mark.parametrize("name", ["x.jsonl", "folder/"])
def test_a_killed_export_leaves_nothing_under_its_name(
    node: str, cluster: Cluster, unread: str, tmp_path: Path, name: str
) -> None:
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(120)})
    to = f"{tmp_path}/{name}"
    command = [sys.executable, "-c", KILLED, node, unread, to]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".partial"]
    assert Export(cluster, ExportOptions(unread, to)).run().documents == 120


def test_a_snapshot_that_is_gone_is_told(node: str, cluster: Cluster, unread: str, tmp_path: Path) -> None:
    fill(node, unread, {f"d{number}": '{"v":1}' for number in range(400)})

    def expire(documents: int) -> None:
        request(node, "DELETE", "/_search/point_in_time/_all")

    options = ExportOptions(unread, str(tmp_path / "x.jsonl"), shards_at_once=1)
    with pytest.raises(OpenSearchError, match=f"The snapshot of index '{unread}' is gone"):
        Export(cluster, options, progress=Progress(done=expire)).run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("x.txt", "--format"),
        ("nowhere/x.jsonl", "no folder"),
        ("nix://x.jsonl", "can't be written"),
        (".", "there already"),
    ],
)
def test_a_place_that_can_t_be_written_is_told(
    cluster: Cluster, unread: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    with pytest.raises(InvalidArgument, match=reason):
        Export(cluster, ExportOptions(unread, to)).run()


def test_an_unknown_index_and_one_without_sources_are_told(
    node: str, cluster: Cluster, index_name: str, tmp_path: Path
) -> None:
    with pytest.raises(IndexNotFound):
        exported(cluster, index_name, tmp_path / "x.jsonl")
    assert send(node, "PUT", f"/{index_name}", {"mappings": {"_source": {"enabled": False}}})[0] == 200
    with pytest.raises(InvalidArgument, match="does not keep its documents"):
        exported(cluster, index_name, tmp_path / "x.jsonl")


def test_a_store_whose_keys_are_not_there_is_no_fault_of_the_sidecar(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file")
    options = ExportOptions("books", "s3://bucket/books.jsonl")
    with (
        pytest.raises(
            InvalidArgument, match=r"'s3://bucket/books\.jsonl' can't be written: Unable to locate credentials"
        ),
        destination_of(options),
    ):
        pass
