"""What is wrong with a machine: its memory, disks, processors, limits, clock and packages."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from sidecar.doctor import clock, container, disk, limits, memory, packages, processors
from sidecar.doctor.finding import Level
from sidecar.given_settings import load_settings
from tests.cli.terminal import clean_environment
from tests.doctor.looking import about, levels, worst

GIGABYTE = 10**9


def doctor(before: str, check: str, folder: Path, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    """Status and findings of the command in a shell of its own, in which something is done before."""
    program = f"{before}\nexec {sys.executable} -m sidecar doctor {check} --json"
    environment = clean_environment(folder / "bin", SIDECAR_HOME=str(folder / "home"), **variables)
    done = subprocess.run(["sh", "-ec", program], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["findings"]


@pytest.mark.parametrize(
    ("limit", "level"), [(30 * GIGABYTE, Level.OK), (5 * GIGABYTE, Level.WARNING), (2 * GIGABYTE, Level.ERROR)]
)
def test_memory_is_judged_by_what_node_and_models_may_take(limit: int, level: Level) -> None:
    found = memory.judge("this machine has so much", limit, memory.need_of(load_settings(node_heap="1g")))
    assert found.level is level
    if level is Level.WARNING:
        assert "SIDECAR_MODEL_MEMORY=2.8" in (found.advice or "")


def test_memory_for_a_cluster_elsewhere_is_that_of_the_models() -> None:
    need = memory.need_of(load_settings(opensearch_url="http://example.org:9200", model_memory=2))
    assert (need.node, need.models) == (0, 2 * GIGABYTE)
    assert memory.need_of(load_settings(embedding_url="http://example.org:8882")).models == 0


def test_the_last_heap_of_java_s_options_counts() -> None:
    settings = load_settings(node_heap="1g", node_java_options="-Xmx300m -XX:+UseSerialGC -Xmx2g")
    assert memory.heap_bytes(settings) == 2 << 30
    assert memory.heap_bytes(load_settings(node_heap="512m")) == 512 << 20


def test_a_process_that_may_have_little_memory_is_told(tmp_path: Path) -> None:
    status, findings = doctor("ulimit -v 1800000", "memory", tmp_path)
    assert status == 1
    assert findings[0]["found"].startswith("a process may use (ulimit -v) 1.8 GB of memory, and 2.2 GB are needed")


def test_the_least_limit_of_a_container_counts(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/pod/main\n")
    root = tmp_path / "cgroup"
    (root / "pod" / "main").mkdir(parents=True)
    assert container.memory_limit_bytes(root, own) is None
    assert container.processors_limit(root, own) is None
    (root / "pod" / "main" / "memory.max").write_text("max\n")
    (root / "pod" / "memory.max").write_text("2000000\n")
    (root / "memory.max").write_text("3000000\n")
    (root / "pod" / "main" / "cpu.max").write_text("150000 100000\n")
    (root / "pod" / "cpu.max").write_text("max 100000\n")
    assert container.memory_limit_bytes(root, own) == 2_000_000
    assert container.processors_limit(root, own) == 1.5


def test_limits_of_the_older_kind_of_container_count(tmp_path: Path) -> None:
    for name, text in (
        ("memory/memory.limit_in_bytes", "9223372036854771712"),
        ("cpu/cpu.cfs_quota_us", "50000"),
        ("cpu/cpu.cfs_period_us", "100000"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert container.memory_limit_bytes(tmp_path, tmp_path / "own") is None
    assert container.processors_limit(tmp_path, tmp_path / "own") == 0.5
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("1000000\n")
    assert container.memory_limit_bytes(tmp_path, tmp_path / "own") == 1_000_000


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=20))
def test_a_container_s_file_may_hold_anything(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("memory.max", "cpu.max"):
            (Path(folder) / name).write_text(text, encoding="utf-8")
        limit = container.memory_limit_bytes(Path(folder), Path(folder) / "own")
        assert limit is None or limit >= 0
        assert (container.processors_limit(Path(folder), Path(folder) / "own") or 0) >= 0


@pytest.mark.parametrize(
    ("used", "level", "told"),
    [
        (0.5, Level.OK, "50% full"),
        (0.87, Level.WARNING, "at 90% OpenSearch takes no new index"),
        (0.92, Level.ERROR, "takes no new index"),
        (0.97, Level.ERROR, "read-only"),
    ],
)
def test_the_node_s_disk_is_judged_by_opensearch_s_watermarks(used: float, level: Level, told: str) -> None:
    found = disk.judge_data(Path("/data"), disk.Usage(100 * GIGABYTE, int(100 * GIGABYTE * (1 - used))))
    assert found.level is level
    assert told in found.found
    if used == 0.92:
        assert "Free 7.0 GB" in (found.advice or "")


def test_folders_are_judged_by_room_and_files(tmp_path: Path) -> None:
    def level(free_bytes: int, free_files: float = 1.0, least_bytes: int = 0) -> Level:
        usage = disk.Usage(100 * GIGABYTE, free_bytes, free_files)
        return disk.judge_folder("SIDECAR_HOME", tmp_path / "not" / "yet", usage, least_bytes=least_bytes).level

    assert level(50 * GIGABYTE) is Level.OK
    assert level(GIGABYTE) is Level.WARNING
    assert level(GIGABYTE // 20) is Level.ERROR
    assert level(GIGABYTE, least_bytes=2 * GIGABYTE) is Level.ERROR
    assert level(50 * GIGABYTE, free_files=0.001) is Level.ERROR


def on_a_small_disk(folder: Path, before: str) -> tuple[int, dict[str, Any]]:
    """Status and first finding of the check of disks, where the home folder is a disk of a megabyte of its own."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets no one but its administrator mount a small disk")
    home = folder / "home"
    home.mkdir()
    command = f"mount -t tmpfs -o size=1m small {home}\n{before}\nexec {sys.executable} -m sidecar doctor disk --json"
    environment = clean_environment(folder / "bin", SIDECAR_HOME=str(home))
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", command], capture_output=True, text=True, env=environment, check=False, cwd=home
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["findings"][0]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    status, found = on_a_small_disk(tmp_path, f"head -c 900000 /dev/zero > {tmp_path}/home/full")
    assert (status, found["level"]) == (1, "error")
    assert "SIDECAR_HOME" in found["advice"]


def test_a_disk_that_is_read_only_is_told(tmp_path: Path) -> None:
    status, found = on_a_small_disk(tmp_path, f"mount -o remount,ro {tmp_path}/home")
    assert (status, found["level"]) == (1, "error")
    assert found["found"] == f"SIDECAR_HOME: {tmp_path}/home may not be written to."


def test_a_file_where_the_home_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = worst(disk.check(about(home=tmp_path / "file" / "home", opensearch_url="http://example.org:9200")))
    assert found.level is Level.ERROR
    assert f"{tmp_path / 'file'} is no folder" in found.found


def test_a_low_limit_on_open_files_is_told(tmp_path: Path) -> None:
    status, findings = doctor("ulimit -n 100", "limits", tmp_path, OPENSEARCH_URL="http://example.org:9200")
    assert status == 1
    assert findings[0]["found"] == "a process may open 100 files (ulimit -n); a server at work needs 132."
    assert "ulimit -n" in findings[0]["advice"]


def test_limits_are_judged_with_the_node_s_own() -> None:
    plenty = limits.Limits(None, None, None)
    small = limits.Limits(512, 4096, 1024)
    assert levels(limits.judge(plenty, load_settings())) == [Level.OK, Level.OK]
    assert levels(limits.judge(small, load_settings())) == [Level.WARNING] * 3
    away = load_settings(opensearch_url="http://example.org:9200")
    assert levels(limits.judge(small, away)) == [Level.WARNING, Level.OK]


@pytest.mark.parametrize(
    ("machine", "sets", "level", "told"),
    [
        ("x86_64", {"avx2", "avx512f", "avx512_vnni", "amx_int8"}, Level.OK, "avx2, avx512f, avx512_vnni, amx_int8"),
        ("x86_64", {"avx2"}, Level.OK, "without VNNI"),
        ("x86_64", {"sse2"}, Level.WARNING, "without AVX2"),
        ("aarch64", {"asimd", "i8mm"}, Level.OK, "asimd, i8mm"),
    ],
)
def test_processors_are_told_by_what_they_can_do(machine: str, sets: set[str], level: Level, told: str) -> None:
    has_dot_products = machine == "aarch64" or "avx512_vnni" in sets
    found = processors.instructions(machine, frozenset(sets), has_dot_products=has_dot_products)
    assert found.level is level
    assert told in found.found


def test_more_threads_than_a_container_has_processors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "processors_limit", lambda: 1.5)
    found = worst(processors.check(about(embedding_threads=4)))
    assert found.level is Level.WARNING
    assert "SIDECAR_EMBEDDING_THREADS=1" in (found.advice or "")


def test_a_device_that_is_not_here_is_told() -> None:
    found = worst(processors.check(about(device="cuda:93")))
    assert found.level is Level.ERROR
    assert "SIDECAR_DEVICE: device 'cuda:93' is not on this machine" in found.found


def test_a_clock_before_the_installation_is_wrong_and_one_apart_from_the_cluster_s_is_told() -> None:
    installed = 1_700_000_000.0
    assert clock.judge(installed + 5, installed).level is Level.OK
    assert clock.judge(installed - 3 * 86_400, installed).level is Level.ERROR
    assert clock.judge_skew(-3.0).level is Level.OK
    assert "100 s behind this machine's" in clock.judge_skew(-100.0).found


def test_a_package_that_is_missing_or_too_old_is_told() -> None:
    assert packages.fault_of(Requirement("click>=8")) is None
    assert packages.fault_of(Requirement("no-such-package-at-all")) == "no-such-package-at-all is missing"
    told = packages.fault_of(Requirement("click>=99"))
    assert told is not None
    assert "and >=99 is needed" in told


def test_extras_are_told_with_how_to_have_them() -> None:
    wanted = [
        Requirement("click>=8"),
        Requirement("no-such-package-at-all>=1; extra == 'odd'"),
        Requirement("orjson>=3; extra == 'whole'"),
        Requirement("orjson>=99; extra == 'old'"),
    ]
    missing, whole, old = (packages.extra_finding(name, wanted) for name in ("odd", "whole", "old"))
    assert (missing.level, whole.level, old.level) == (Level.OK, Level.OK, Level.WARNING)
    assert "pip install 'vector-sidecar[odd]'" in missing.found
    assert "there (orjson)" in whole.found
