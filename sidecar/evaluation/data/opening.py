"""Finds out what the data are, and reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import Collection, EvaluatedDocument, Kind, make_collection
from sidecar.evaluation.data.corpus import TEXT_FIELDS, read_corpus
from sidecar.evaluation.data.judgements import read_judgements, read_pairs
from sidecar.evaluation.data.pictures import read_pictures
from sidecar.evaluation.data.rows import existing

ReadIndex = Callable[[str, Sequence[str] | None], list[EvaluatedDocument]]
"""The documents of an index by its name, of each these fields."""


@dataclass(frozen=True)
class DataWish:
    """Where the data are: a folder in the layout of BEIR, a table of queries and ids beside a corpus file or an index,
    or a folder of pictures beside a table of captions. ``fields`` are those that make a document's text."""

    location: Path
    split: str = "test"
    corpus: Path | None = None
    index: str | None = None
    captions: Path | None = None
    caption_field: str | None = None
    fields: tuple[str, ...] | None = None


def open_collection(wish: DataWish, read_index: ReadIndex) -> Collection:
    """The data, read whole. Raises: InvalidArgument, naming file and line, where they can't be; what ``read_index``
    raises."""
    location = wish.location.expanduser()
    if not location.exists():
        raise InvalidArgument(f"There is nothing at {location}.")
    if location.is_file():
        return _with_pairs(wish, location, read_index)
    if wish.corpus is not None or wish.index is not None:
        raise InvalidArgument(f"A corpus or an index goes with a table of queries and ids; {location} is a folder.")
    if wish.captions is not None:
        return read_pictures(location, wish.captions, wish.caption_field)
    return _of_folder(wish, location)


def _with_pairs(wish: DataWish, location: Path, read_index: ReadIndex) -> Collection:
    if (wish.corpus is None) == (wish.index is None):
        raise InvalidArgument(f"{location} judges documents: say where they are, by --corpus FILE or --index NAME.")
    judgements = read_pairs(location)
    if wish.index is not None:
        documents = read_index(wish.index, wish.fields)
    else:
        assert wish.corpus is not None
        documents = read_corpus(existing(wish.corpus.expanduser()), wish.fields or TEXT_FIELDS)
    return make_collection(location.name.partition(".")[0], Kind.TEXT, documents, judgements)


def _of_folder(wish: DataWish, folder: Path) -> Collection:
    judged = folder / "qrels" / f"{wish.split}.tsv"
    if not judged.is_file():
        splits = ", ".join(sorted(path.stem for path in (folder / "qrels").glob("*.tsv")))
        hint = f"there are: {splits} (--split)" if splits else "a folder of pictures needs --captions FILE"
        raise InvalidArgument(f"{folder} has not the layout of BEIR: there is no {judged}; {hint}.")
    judgements = read_judgements(judged, existing(folder / "queries.jsonl"))
    documents = read_corpus(existing(folder / "corpus.jsonl"), wish.fields or TEXT_FIELDS)
    return make_collection(folder.resolve().name, Kind.TEXT, documents, judgements)
