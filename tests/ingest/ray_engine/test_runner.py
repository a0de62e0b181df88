"""Loads by a real Ray cluster of several processes, which all tests here share, into a real OpenSearch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
import ray

from sidecar.cli.load_parts import open_load_parts
from sidecar.config import Settings
from sidecar.errors import ConfigurationError, InvalidArgument, ModelLoadError
from sidecar.ingest.loading.counts import Ending, LoadCounts
from sidecar.ingest.loading.job import open_job
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.progress import Silent
from sidecar.ingest.ray_engine.crew import CrewWish
from sidecar.ingest.ray_engine.runner import RayRunner
from sidecar.ingest.ray_engine.session import ray_session
from sidecar.ingest.sources.options import SourceOptions
from sidecar.opensearch.client import Cluster
from tests.ingest.ray_engine.loads import BATCH, Load, saved_counts

WORKER = "ray::MapWorker"
PASSWORD = "a-password-that-no-log-may-have"


@pytest.fixture(scope="module", autouse=True)
def ray_address() -> Iterator[str]:
    """The address of a Ray cluster on this machine, to which this process is connected."""
    with ray_session(None):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture
def load(node: str, index_name: str, tmp_path: Path) -> Load:
    """A load of 40 batches, from two files."""
    write_rows(tmp_path / "rows" / "a.jsonl", range(25 * BATCH))
    write_rows(tmp_path / "rows" / "b.jsonl", range(25 * BATCH, 40 * BATCH))
    return Load(tmp_path, index_name, node)


def row(number: int) -> dict[str, Any]:
    return {"id": f"row-{number}", "title": f"the title of row {number}"}


def write_rows(path: Path, numbers: range) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row(number)) + b"\n" for number in numbers))


def documents_in(cluster: Cluster, index: str) -> dict[str, Any]:
    """The documents of the index, by id, without their vectors; each has one."""
    cluster.refresh(index)
    found = cluster.search(index, {"size": 10_000, "_source": {"excludes": ["__embeddings*"]}})["hits"]["hits"]
    assert cluster.count(index, ["__embeddings.title"]) == (len(found), len(found))
    return {hit["_id"]: {name: hit["_source"][name] for name in ("id", "title")} for hit in found}


def rows_by_id(numbers: range) -> dict[str, Any]:
    return {f"row-{number}": row(number) for number in numbers}


def worker_processes() -> list[psutil.Process]:
    """Those of this process's own cluster that hold models."""
    return [each for each in psutil.Process().children(recursive=True) if is_worker(each)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return WORKER in " ".join(process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False


def test_workers_load_each_document_once_and_no_log_of_ray_has_the_password(load: Load, cluster: Cluster) -> None:
    load = replace(load, opensearch_url=load.opensearch_url.replace("http://", f"http://user:{PASSWORD}@"))
    summary = load.run()
    assert (summary.ending, summary.reason) == (Ending.DONE, None)
    size = sum(path.stat().st_size for path in (load.folder / "rows").iterdir())
    assert summary.run == summary.total == LoadCounts(written=40 * BATCH, read_bytes=size)
    assert documents_in(cluster, load.index) == rows_by_id(range(40 * BATCH))
    assert load.run().ending is Ending.ALREADY_DONE
    logs = [path for path in Path(ray._private.worker._global_node.get_logs_dir_path()).rglob("*") if path.is_file()]
    assert any(path.name == "ray-data.log" for path in logs)
    assert [path.name for path in logs if PASSWORD.encode() in path.read_bytes()] == []


def test_a_load_that_is_stopped_and_whose_driver_and_worker_are_killed_has_each_document_once(
    load: Load, cluster: Cluster, ray_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stopped = load.run(RayRunner.stop)
    assert (stopped.ending, stopped.reason) == (Ending.INTERRUPTED, None)
    assert saved_counts(load) == stopped.total
    assert 0 < stopped.total.written < 40 * BATCH
    # Who still ran would have the processors that the next load's workers need.
    assert psutil.wait_procs(worker_processes(), timeout=60)[1] == []

    command = [sys.executable, "-m", "tests.ingest.ray_engine.loads", str(load.folder), load.index, load.opensearch_url]
    killed = subprocess.run(command, env=os.environ | {"RAY_ADDRESS": ray_address}, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert stopped.total.written < saved_counts(load).written < 40 * BATCH

    before = saved_counts(load).written
    victims: list[psutil.Process] = []

    def kill_once(runner: RayRunner) -> None:
        if not victims:
            victims.append(worker_processes()[0])
            victims[0].kill()

    ended = load.run(kill_once)
    assert victims
    assert (ended.ending, ended.reason) == (Ending.DONE, None)
    assert capfd.readouterr() == ("", "")
    assert (ended.run.written, ended.total.written, ended.total.failed) == (40 * BATCH - before, 40 * BATCH, 0)
    assert documents_in(cluster, load.index) == rows_by_id(range(40 * BATCH))


def test_what_fails_is_in_the_dead_letters_and_what_is_there_stays_with_only_new(load: Load, cluster: Cluster) -> None:
    write_rows(load.folder / "rows" / "a.jsonl", range(BATCH))
    write_rows(load.folder / "rows" / "b.jsonl", range(BATCH, 2 * BATCH))
    assert load.run_locally().run.written == 2 * BATCH
    with (load.folder / "rows" / "a.jsonl").open("ab") as file:
        file.write(b'{"id": "broken"\n{"id": "", "title": "no id"}\n{"id": "new", "title": "the title"}\n')
    summary = replace(load, existing=Existing.ONLY_NEW).run()
    assert (summary.ending, summary.reason) == (Ending.DONE, None)
    assert (summary.run.written, summary.run.kept, summary.run.failed) == (1, 2 * BATCH, 2)
    letters = [orjson.loads(line) for line in (load.job_folder / "dead-letters.jsonl").read_bytes().splitlines()]
    assert sorted((letter["part"], letter["row"]) for letter in letters) == [("a.jsonl", BATCH), ("a.jsonl", BATCH + 1)]
    there = rows_by_id(range(2 * BATCH)) | {"new": {"id": "new", "title": "the title"}}
    assert documents_in(cluster, load.index) == there


@contextmanager
def parts_without_a_model(settings: Settings) -> Iterator[LoadParts]:
    """Stands for a machine on which the model can't be had."""
    raise ModelLoadError("model random/small: its files are not there")
    yield


def test_workers_that_have_no_model_end_the_load_with_one_reason(load: Load, cluster: Cluster) -> None:
    summary = load.run(worker_parts=parts_without_a_model)
    assert summary.ending is Ending.STOPPED
    assert summary.reason == "model random/small: its files are not there"
    assert summary.total == LoadCounts()


def make_runner(load: Load, location: str) -> None:
    plan = LoadPlan(SourceOptions(location), load.index)
    with open_job(load.folder, plan) as job:
        RayRunner(CrewWish(load.settings, open_load_parts), plan, job, Silent())


def test_standard_input_is_refused(load: Load) -> None:
    with pytest.raises(InvalidArgument, match="standard input can't be read by Ray's workers"):
        make_runner(load, "-")


def test_without_ray_the_extra_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'vector-sidecar\[ray\]'"):
        make_runner(load, "rows.jsonl")
