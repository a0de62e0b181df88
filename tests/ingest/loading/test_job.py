"""A job's folder: what lasts, what a crash cuts off, and when a run goes on or begins anew."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.beginning import Met
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.dead_letters import DeadLetter
from sidecar.ingest.loading.job import Job, identity_of, open_job
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.row_ranges import Gap, RowRange
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.source import Place, Record

PLAN = LoadPlan(SourceOptions("rows.jsonl"), "books", DocumentShape(tensor_fields=("title",)))
MET = Met(identity_of(PLAN), "uuid-1", index_is_new=False, fingerprints={"a": "1", "b": "1"})
BOTH_WAYS = "--replace.*--only-new"


def letter(row: int) -> DeadLetter:
    return DeadLetter("a", row, f"d{row}", "invalid_argument", "a bad field", {"_id": f"d{row}", "title": []})


def commit(job: Job, start: int, stop: int, *, failed: int = 0) -> None:
    counts = LoadCounts(stop - start - failed, 0, failed, 100)
    job.commit([RowRange("a", start, stop, 10 * stop)], counts, [letter(stop - 1 - each) for each in range(failed)])


def lines(job: Job) -> list[int]:
    return [json.loads(line)["row"] for line in job.dead_letters.read_text().splitlines()]


def test_the_next_run_goes_on_where_the_job_was_saved_and_writes_no_dead_letter_twice(tmp_path: Path) -> None:
    with open_job(tmp_path, PLAN) as job:
        assert job.begin(Existing.RESUME, MET) is False
        commit(job, 0, 10, failed=1)
        job.save()
        # Written, but not saved: a run that is killed now leaves it so.
        commit(job, 10, 20, failed=2)
    assert lines(job) == [9, 19, 18]
    with open_job(tmp_path, PLAN) as again:
        assert again.begin(Existing.RESUME, MET) is True
        assert (again.counts.written, again.counts.failed, again.is_done) == (9, 1, False)
        assert list(again.progress_of("a").gaps()) == [Gap(Place(10, 100), None)]
        assert lines(again) == [9]
        commit(again, 10, 20, failed=2)
        again.finish()
        assert lines(again) == [9, 19, 18]
    with open_job(tmp_path, PLAN) as third:
        assert third.begin(Existing.RESUME, MET) is True
        assert third.is_done


def test_another_process_can_not_run_the_job_meanwhile(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from sidecar.ingest.loading.job import open_job\n"
        "from tests.ingest.loading.test_job import PLAN\n"
        "with open_job(Path(sys.argv[1]), PLAN):\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(InvalidArgument, match=r"running already.*--job"), open_job(tmp_path, PLAN):
        pass
    with open_job(tmp_path, PLAN, "by-another-name"):
        pass
    other.kill()
    other.wait()
    other.stdout.close()
    with open_job(tmp_path, PLAN):
        pass


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(MET, fingerprints={"a": "1", "b": "2"}), "'b' is not as it was"),
        (replace(MET, fingerprints={"a": "1"}), "'b' is gone"),
        (replace(MET, fingerprints={"a": "1", "b": "1", "c": "1"}), "'c' is new"),
        (replace(MET, index_uuid="uuid-2"), "the index is not the one"),
    ],
)
@pytest.mark.parametrize("is_done", [False, True])
def test_a_change_since_the_job_began_is_told_with_both_ways(
    tmp_path: Path, now: Met, told: str, is_done: bool
) -> None:
    with open_job(tmp_path, PLAN) as job:
        job.begin(Existing.RESUME, MET)
        commit(job, 0, 10)
        if is_done:
            job.finish()
        job.save()
    with open_job(tmp_path, PLAN) as again, pytest.raises(InvalidArgument, match=f"{told}.*{BOTH_WAYS}"):
        again.begin(Existing.RESUME, now)
    for existing in (Existing.REPLACE, Existing.ONLY_NEW):
        with open_job(tmp_path, PLAN) as anew:
            assert anew.begin(existing, now) is False
            assert anew.counts.documents == 0


@pytest.mark.parametrize("existing", [Existing.REPLACE, Existing.ONLY_NEW])
def test_an_unfinished_run_that_was_begun_so_goes_on_and_a_finished_one_begins_anew(
    tmp_path: Path, existing: Existing
) -> None:
    with open_job(tmp_path, PLAN) as job:
        assert job.begin(existing, MET) is False
        commit(job, 0, 10)
        job.save()
    with open_job(tmp_path, PLAN) as again:
        assert again.begin(existing, MET) is True
        assert again.counts.written == 10
        again.finish()
    with open_job(tmp_path, PLAN) as anew:
        assert anew.begin(existing, MET) is False
        assert anew.counts.written == 0


def test_a_run_of_only_new_documents_is_not_gone_on_with_as_one_that_replaces(tmp_path: Path) -> None:
    with open_job(tmp_path, PLAN) as job:
        job.begin(Existing.ONLY_NEW, MET)
    with open_job(tmp_path, PLAN) as again, pytest.raises(InvalidArgument, match="begun with --only-new"):
        again.begin(Existing.RESUME, MET)


@pytest.mark.parametrize("now", [replace(MET, index_is_new=True), replace(MET, is_repeatable=False)])
def test_a_new_index_and_standard_input_are_loaded_from_the_beginning(tmp_path: Path, now: Met) -> None:
    with open_job(tmp_path, PLAN) as job:
        job.begin(Existing.RESUME, MET)
        commit(job, 0, 10, failed=1)
        job.finish()
    with open_job(tmp_path, PLAN) as again:
        assert again.begin(Existing.RESUME, now) is False
        assert (again.counts.documents, lines(again)) == (0, [])


def test_a_named_job_that_is_another_load_is_told_by_what_differs(tmp_path: Path) -> None:
    other = replace(PLAN, shape=DocumentShape(tensor_fields=("body",)))
    with open_job(tmp_path, PLAN, "mine") as job:
        job.begin(Existing.RESUME, MET)
    with (
        open_job(tmp_path, other, "mine") as again,
        pytest.raises(InvalidArgument, match=r"another shape: .*'title'.* and now .*'body'.*--job"),
    ):
        again.begin(Existing.RESUME, replace(MET, identity=identity_of(other)))


def test_loads_that_differ_have_jobs_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def name_of(plan: LoadPlan) -> str:
        with open_job(tmp_path, plan) as job:
            return job.name

    plans = [
        PLAN,
        replace(PLAN, index="films"),
        replace(PLAN, source=SourceOptions("other.jsonl")),
        replace(PLAN, shape=DocumentShape(tensor_fields=("body",))),
    ]
    assert len({name_of(plan) for plan in plans}) == 4
    assert name_of(replace(PLAN, existing=Existing.REPLACE, streams=1)) == name_of(PLAN)
    before = name_of(PLAN)
    monkeypatch.chdir(tmp_path)
    assert name_of(PLAN) != before
    assert name_of(replace(PLAN, source=SourceOptions(str(tmp_path / "rows.jsonl")))) == name_of(PLAN)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}'])
def test_a_spoilt_checkpoint_is_told(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "ingest" / "mine"
    folder.mkdir(parents=True)
    (folder / "checkpoint.json").write_text(text)
    with pytest.raises(InvalidArgument, match=r"checkpoint\.json is no checkpoint"), open_job(tmp_path, PLAN, "mine"):
        pass


@pytest.mark.parametrize("name", ["a/b", "..", "../up"])
def test_a_jobs_name_can_not_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="can't be the name of a job"), open_job(tmp_path, PLAN, name):
        pass


def test_a_dead_letter_of_what_json_libraries_disagree_about_is_written_all_the_same() -> None:
    record = Record("a", 3, {"n": 1}, 10)
    document = {"_id": "x", "half": "\ud800", "large": 10**30, "object": object}
    line = DeadLetter.of(record, code="c", reason="r", document=document).to_line()
    read = json.loads(line)
    assert (read["row"], read["_id"]) == (3, "x")
    assert read["document"]["half"] == "\ud800"
    assert read["document"]["large"] == 10**30
    assert line.endswith(b"}\n")
