"""The files of an evaluation: JSON, CSV and a page."""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import InvalidArgument
from sidecar.evaluation.report.csv_form import to_csv
from sidecar.evaluation.report.json_form import check, from_json, to_json
from sidecar.evaluation.report.standing import standings
from sidecar.evaluation.results import Evaluation
from sidecar.whole_file import write_whole

JSON_NAME = "evaluation.json"
CSV_NAME = "evaluation.csv"
PAGE_NAME = "evaluation.html"


def write_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the three files, in the order JSON, CSV, page; the folder is made where it lacks.

    Each replaces an older one at once, when it is whole. Returns: their paths.
    Raises: InvalidArgument where choices can't be compared (nothing is written), or matplotlib is not installed (JSON
    and CSV are written); OSError.
    """
    check(evaluation, origin="the evaluation")
    folder.mkdir(parents=True, exist_ok=True)
    standing = standings(evaluation)
    paths = [folder / name for name in (JSON_NAME, CSV_NAME, PAGE_NAME)]
    write_whole(paths[0], to_json(evaluation))
    write_whole(paths[1], to_csv(standing).encode("utf-8"))
    # The page's plots need matplotlib, which takes a second to import and may lack.
    from sidecar.evaluation.report.page import page_of

    write_whole(paths[2], page_of(evaluation, standing).encode("utf-8"))
    return paths


def read_evaluation(path: Path) -> Evaluation:
    """Read an `evaluation.json`. Raises: InvalidArgument, which names the file and what is wrong with it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidArgument(f"{path} can't be read: {error.strerror or error}") from error
    return from_json(text, origin=str(path))
