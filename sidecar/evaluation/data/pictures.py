"""Image retrieval: captions are queries, and the one document that answers each is its picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import Collection, EvaluatedDocument, Judgements, Kind, make_collection
from sidecar.evaluation.data.rows import read_rows

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff")
PICTURE_COLUMNS = ("file", "file_name", "filename", "image", "path")
CAPTION_COLUMNS = ("caption", "text", "title", "name")


def read_pictures(folder: Path, captions: Path, column: str | None = None) -> Collection:
    """All pictures of a folder and of those in it, by their paths in it; and a table of captions beside them, whose
    ``column`` has the caption (by default the first of `CAPTION_COLUMNS` that is there).

    Raises: InvalidArgument, naming file and line, where a row names no picture of the folder, or has no caption.
    """
    folder = folder.expanduser().resolve()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    documents = [_document(folder, path) for path in paths]
    if not documents:
        raise InvalidArgument(f"There is no picture in {folder}: none ends in {', '.join(SUFFIXES)}.")
    if not captions.exists() and (folder / captions).exists():
        captions = folder / captions
    judgements = _read_captions(captions, _ids_by_name(documents), (column,) if column else CAPTION_COLUMNS)
    return make_collection(folder.name, Kind.IMAGE, documents, judgements, folder=folder)


def _document(folder: Path, path: Path) -> EvaluatedDocument:
    return EvaluatedDocument(
        path.relative_to(folder).as_posix(), str(path), hashlib.sha256(path.read_bytes()).hexdigest()
    )


def _ids_by_name(documents: Sequence[EvaluatedDocument]) -> dict[str, str]:
    """From paths to themselves, and from names that only one picture has to its path."""
    by_name: dict[str, list[str]] = {}
    for document in documents:
        by_name.setdefault(document.document_id.rpartition("/")[2], []).append(document.document_id)
    alone = {name: found[0] for name, found in by_name.items() if len(found) == 1}
    return alone | {document.document_id: document.document_id for document in documents}


def _read_captions(path: Path, known: Mapping[str, str], columns: Sequence[str]) -> Judgements:
    queries: dict[str, str] = {}
    grades: dict[str, dict[str, int]] = {}
    for number, row in enumerate(read_rows(path), start=1):
        name = row.text(*PICTURE_COLUMNS)
        if name not in known:
            raise InvalidArgument(f"{row.where}: there is no picture {name!r} in the folder, or there are several.")
        queries[str(number)] = row.text(*columns)
        grades[str(number)] = {known[name]: 1}
    return Judgements(queries, grades)
