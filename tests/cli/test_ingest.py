"""``sidecar ingest`` on the run's own node: what it loads, what it refuses, and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fix_opensearch import request
from tests.ingest.loading.command import MODEL, Ingest, books, by_id, chunks, count, stored, write_lines

SETTINGS = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "books.jsonl", books(60))


@pytest.fixture
def ingest(node: str, home: Path, rows: Path, index_name: str) -> Ingest:
    return Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title")


def letters(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(summary["dead_letters"]).read_text("utf-8").splitlines()]


def test_a_source_is_loaded_into_an_index_that_is_made_for_it(node: str, ingest: Ingest, index_name: str) -> None:
    result = ingest.run(*MODEL)
    assert result.exit_code == 0, result.output
    assert f"60 documents written to {index_name}, 0 failed" in result.stdout
    assert f"Index {index_name} is made" in result.stderr
    assert stored(node, index_name) == by_id(books(60))
    assert chunks(node, index_name, "title") == 120


def test_a_field_to_be_embedded_that_no_document_has_is_told(node: str, ingest: Ingest, index_name: str) -> None:
    result = ingest.run(*MODEL, "--tensor-fields", "title,titel")
    assert result.exit_code == 0
    assert f"Field titel was to be embedded, and no document of {index_name} has it" in result.stderr
    assert ingest.done("--tensor-fields", "title,titel", "--replace")["fields_not_found"] == ["titel"]
    assert ingest.done("--replace")["fields_not_found"] == []


def test_captions_of_what_is_no_folder_of_images_are_refused(ingest: Ingest) -> None:
    refused = ingest.run(*MODEL, "--captions", "captions.csv")
    assert refused.exit_code == 2
    assert "Captions go with a folder of images" in refused.stderr
    assert "is read as jsonl" in refused.stderr


def test_dead_letters_that_can_not_be_copied_are_told_behind_the_summary(
    ingest: Ingest, tmp_path: Path, index_name: str
) -> None:
    (tmp_path / "file").write_text("")
    result = ingest.run(*MODEL, "--dead-letters", tmp_path / "file" / "letters.jsonl")
    assert result.exit_code == 3
    assert f"60 documents written to {index_name}, 0 failed" in result.stdout
    assert f"Error: --dead-letters: {tmp_path}/file/letters.jsonl can't be written (" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("not: [yaml", "line 1, column 11: expected ',' or ']', but got '<stream end>'."), (None, "No such file or")],
)
def test_settings_that_can_not_be_read_are_told_in_one_line(
    ingest: Ingest, tmp_path: Path, text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / "settings.yml").write_text(text)
    refused = ingest.run("--settings", tmp_path / "settings.yml")
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert f"settings.yml can't be read: {told}" in refused.stderr


def test_a_job_that_can_not_be_kept_names_the_setting(node: str, rows: Path, tmp_path: Path, index_name: str) -> None:
    (tmp_path / "file").write_text("")
    result = Ingest(node, tmp_path / "file" / "home", rows, "--index", index_name, *MODEL).run()
    assert result.exit_code == 3
    assert f"can't be kept in {tmp_path}/file/home/ingest/" in result.stderr
    assert "SIDECAR_HOME" in result.stderr


def test_a_finished_load_is_told_and_repeated_only_when_asked_to(
    node: str, ingest: Ingest, rows: Path, index_name: str
) -> None:
    ingest.done(*MODEL)
    again = ingest.run()
    assert again.exit_code == 0
    assert "Loaded already" in again.stdout
    assert "--replace" in again.stderr
    request(node, "DELETE", f"/{index_name}/_doc/b7?refresh=true")
    changed = json.dumps({"title": "mine"})
    assert request(node, "PUT", f"/{index_name}/_doc/b8?refresh=true", changed)[0] == 200
    summary = ingest.done("--only-new")
    assert (summary["written"], summary["kept"]) == (1, 59)
    now = stored(node, index_name)
    assert (now["b7"], now["b8"]) == (by_id(books(60))["b7"], {"title": "mine"})
    summary = ingest.done("--replace")
    assert (summary["written"], summary["kept"]) == (60, 0)
    assert stored(node, index_name) == by_id(books(60))


def test_a_changed_source_is_told_with_the_part_and_both_ways(
    node: str, ingest: Ingest, rows: Path, index_name: str
) -> None:
    ingest.done(*MODEL)
    write_lines(rows, books(40, edition="second"))
    refused = ingest.run()
    assert refused.exit_code == 2
    assert "'books.jsonl' is not as it was" in refused.stderr
    assert "--replace" in refused.stderr
    assert "--only-new" in refused.stderr
    assert stored(node, index_name) == by_id(books(60))
    assert ingest.done("--only-new")["kept"] == 40
    assert ingest.done("--replace")["written"] == 40
    # What the source has no more stays.
    assert stored(node, index_name) == by_id([*books(60), *books(40, edition="second")])


def test_an_index_that_was_deleted_is_filled_again(node: str, ingest: Ingest, index_name: str) -> None:
    ingest.done(*MODEL)
    assert request(node, "DELETE", f"/{index_name}")[0] == 200
    assert ingest.done(*MODEL)["written"] == 60
    assert count(node, index_name) == 60
    assert request(node, "DELETE", f"/{index_name}")[0] == 200
    refused = ingest.run()
    assert refused.exit_code == 2
    assert "--model NAME, or --settings FILE" in refused.stderr


def test_an_index_of_another_model_is_refused_by_both_names(ingest: Ingest, index_name: str) -> None:
    ingest.done(*MODEL)
    refused = ingest.run("--model", "random/large", "--replace")
    assert refused.exit_code == 2
    assert "'random/small'" in refused.stderr
    assert "'random/large'" in refused.stderr


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_an_index_is_made_by_a_file_of_settings(
    node: str, ingest: Ingest, index_name: str, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"settings.{suffix}"
    settings = {**SETTINGS, "number_of_shards": 2}
    yaml = "index_defaults:\n  model: random/small\nnumber_of_shards: 2\n"
    file.write_text(json.dumps(settings) if suffix == "json" else yaml)
    ingest.done("--settings", file)
    answer = json.loads(request(node, "GET", f"/{index_name}/_settings")[1])
    assert answer[index_name]["settings"]["index"]["number_of_shards"] == "2"
    file.write_text("- a\n")
    assert "must have an object" in ingest.run("--settings", file).stderr
    file.write_text('{"number_of_shard": 2}')
    assert "Did you mean 'number_of_shards'?" in ingest.run("--settings", file, "--replace").stderr


def test_documents_that_fail_are_in_the_dead_letters_with_their_reasons(
    node: str, home: Path, index_name: str, tmp_path: Path
) -> None:
    good = books(20)
    lines: list[Any] = [
        *good[:5],
        "{broken",
        *good[5:10],
        {"_id": "long", "title": "x " * 2_500_000},
        {"title": "without an id"},
        {"_id": "list", "title": ["a", "b"]},
        *good[10:],
        {"_id": "word", "title": "t", "year": "last"},
    ]
    rows = write_lines(tmp_path / "rows.jsonl", lines)
    copy = tmp_path / "letters" / "failed.jsonl"
    ingest = Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title", "--id-field", "_id")
    result = ingest.run(*MODEL, "--json", "--dead-letters", copy)
    assert result.exit_code == 1, result.output
    summary = json.loads(result.stdout)
    assert (summary["written"], summary["failed"], summary["dead_letters"]) == (20, 5, str(copy))
    found = {letter["row"]: letter for letter in letters(summary)}
    assert {row: letter["code"] for row, letter in found.items()} == {
        5: "invalid_argument",
        11: "doc_too_large",
        12: "invalid_argument",
        13: "invalid_argument",
        24: "mapper_parsing_exception",
    }
    assert found[5]["raw"] == "{broken"
    assert "document" not in found[5]
    assert found[11]["document"]["title"] == "x " * 2_500_000
    assert "'_id', which has the id, is not there" in found[12]["reason"]
    assert found[24]["document"] == {"_id": "word", "title": "t", "year": "last"}
    assert all(letter["part"] == "rows.jsonl" for letter in found.values())
    assert stored(node, index_name) == by_id(good)
    again = ingest.run()
    assert (again.exit_code, "Loaded already" in again.stdout) == (1, True)


def test_columns_are_named_typed_and_left_out(node: str, home: Path, index_name: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("key,heading,year,secret\na,First,1999,x\nb,Second,,x\nc,Third,soon,x\n,Fourth,2000,x\n")
    ingest = Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title", "--id-field", "key")
    options = ("--rename", "heading=title", "--types", "year=int", "--drop", "secret,key", "--set", "shelf=7")
    tried = ingest.run(*MODEL, *options, "--json", "--dry-run")
    result = ingest.run(*MODEL, *options, "--json")
    assert (tried.exit_code, result.exit_code) == (1, 1), tried.output + result.output
    assert {letter["row"]: letter["reason"][:12] for letter in letters(json.loads(result.stdout))} == {
        2: "field 'year'",
        3: "field 'key',",
    }
    assert stored(node, index_name) == {
        "a": {"title": "First", "year": 1999, "shelf": 7},
        "b": {"title": "Second", "shelf": 7},
    }


def test_a_job_file_says_what_the_options_do_and_options_count_more(
    node: str, home: Path, rows: Path, index_name: str, tmp_path: Path
) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(
        f"source: {rows}\nindex: another\nmodel: random/large\ntensor_fields: [title]\nset: {{shelf: 7}}\n"
        "batch_documents: 25\n"
    )
    ingest = Ingest(node, home, "--job-file", job, "--index", index_name)
    assert ingest.done(*MODEL)["written"] == 60
    assert stored(node, index_name)["b3"]["shelf"] == 7
    state = json.loads(request(node, "GET", f"/{index_name}/_mapping")[1])
    assert state[index_name]["mappings"]["_meta"]["sidecar"]["settings"]["index_defaults"]["model"] == "random/small"


def test_vectors_are_taken_as_they_are_into_an_index_without_a_model(
    node: str, home: Path, index_name: str, tmp_path: Path
) -> None:
    vectors = [[1.0, float(number), 0.5] for number in range(30)]
    rows = write_lines(
        tmp_path / "rows.jsonl",
        [{"_id": f"v{number}", "text": f"t{number}", "vec": vector} for number, vector in enumerate(vectors)]
        + [{"_id": "short", "vec": [1.0]}],
    )
    ingest = Ingest(node, home, rows, "--index", index_name, "--precomputed", "vec=text")
    result = ingest.run("--json")
    assert result.exit_code == 1, result.output
    assert [letter["row"] for letter in letters(json.loads(result.stdout))] == [30]
    answer = json.loads(request(node, "GET", f"/{index_name}/_doc/v7")[1])["_source"]
    assert answer["vec"] == "t7"
    assert answer["__embeddings"]["vec"][0]["vector"] == vectors[7]
    other = write_lines(tmp_path / "other.jsonl", [{"_id": "x", "vec": [1.0, 2.0]}])
    refused = Ingest(node, home, other, "--index", index_name, "--precomputed", "vec").run()
    assert refused.exit_code == 2
    assert "have 2 numbers; in index" in refused.stderr


def test_a_folder_of_images_is_embedded(node: str, home: Path, index_name: str, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "captions.csv").write_text("image,caption\n3.png,the third\n")
    options = ("--index", index_name, "--image-fields", "image", "--captions", folder / "captions.csv")
    result = Ingest(node, home, folder, *options).run(*MODEL, "--json")
    assert result.exit_code == 1, result.output
    summary = json.loads(result.stdout)
    assert (summary["written"], [letter["_id"] for letter in letters(summary)]) == (5, ["broken.png"])
    assert stored(node, index_name)["3.png"]["caption"] == "the third"
    assert chunks(node, index_name, "image") == 5


def test_a_dry_run_shows_documents_and_writes_nothing(node: str, ingest: Ingest, home: Path, index_name: str) -> None:
    result = ingest.run(*MODEL, "--dry-run", "--documents", "2")
    assert result.exit_code == 0, result.output
    assert f"Index {index_name} would be made: model random/small, 32 dimensions" in result.stdout
    assert "books.jsonl, row 1:" in result.stdout
    assert "books.jsonl, row 2:" not in result.stdout
    assert "embedded: title (2 chunks)" in result.stdout
    assert "Nothing was written." in result.stdout
    assert request(node, "HEAD", f"/{index_name}")[0] == 404
    assert not list(home.rglob("checkpoint.json"))
    read = json.loads(ingest.run(*MODEL, "--dry-run", "--json").stdout)
    assert [shown["document"]["_id"] for shown in read["documents"]] == ["b0", "b1", "b2"]
    assert read["estimate"]["documents"] == pytest.approx(60, rel=0.1)
    assert read["estimate"]["chunks_per_document"] == 2.0


def test_an_estimate_of_storage_is_near_what_the_cluster_needs(
    node: str, home: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(2000))
    settings = tmp_path / "settings.json"
    properties = {"type": "random", "dimensions": 256}
    settings.write_text(
        json.dumps({"index_defaults": {"model": "mine", "model_properties": properties}, "number_of_shards": 1})
    )
    ingest = Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title", "--settings", settings)
    told = json.loads(ingest.run("--dry-run", "--json").stdout)["estimate"]
    ingest.done()
    request(node, "POST", f"/{index_name}/_flush")
    # The store's own size is looked up every ten seconds only.
    shards = json.loads(request(node, "GET", f"/{index_name}/_segments")[1])["indices"][index_name]["shards"]
    needed = sum(segment["size_in_bytes"] for segment in shards["0"][0]["segments"].values())
    assert told["documents"] == pytest.approx(2000, rel=0.05)
    assert told["stored_bytes"] == pytest.approx(needed, rel=0.35)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--replace", "--only-new"), "not both"),
        (("--model", "a", "--settings", "b"), "not both"),
        (("--workers", "2"), "goes with --engine ray"),
        (("--rename", "a"), "name=value"),
        (("--format", "xml"), "is not one of"),
        (("--types", "title=date"), "'date', which is no type"),
        (("--captions", "nowhere.csv", "--format", "images"), "nowhere.csv"),
    ],
)
def test_what_can_not_be_asked_for_is_told_before_anything_is_done(
    node: str, ingest: Ingest, index_name: str, options: tuple[str, ...], told: str
) -> None:
    result = ingest.run(*options)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert request(node, "HEAD", f"/{index_name}")[0] == 404


def test_a_source_and_an_index_must_be_named(node: str, home: Path, rows: Path) -> None:
    assert "No source is given" in Ingest(node, home, "--index", "x").run().stderr
    assert "No index is given" in Ingest(node, home, rows).run().stderr
    missing = Ingest(node, home, rows.with_name("nothing.jsonl"), "--index", "x").run()
    assert missing.exit_code == 2
    assert "nothing.jsonl" in missing.stderr


def test_a_cluster_that_is_away_at_the_start_is_a_fault(home: Path, rows: Path) -> None:
    result = Ingest("http://127.0.0.1:1", home, rows, "--index", "x").run(*MODEL)
    assert result.exit_code == 3
    assert "Nothing listens at" in result.stderr
