"""Documents from tables of pandas, and tables from hits."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sidecar.client.batches import Unsendable

if TYPE_CHECKING:
    import pandas

    from sidecar.client.hits import Hit

ID = "_id"


def to_dataframe(hits: Iterable[Hit]) -> pandas.DataFrame:
    """A row for each hit, in order: ``_id``, ``_score``, of hybrid searches ``_tensor_score`` and ``_lexical_score``,
    then the fields, and ``_highlights`` where a hit has any. What a hit lacks is missing there.

    Raises: ImportError where pandas is not installed.
    """
    pd = _pandas()
    hits = list(hits)
    columns: dict[str, list[Any]] = {ID: [hit.id for hit in hits], "_score": [hit.score for hit in hits]}
    if any(hit.tensor_score is not None or hit.lexical_score is not None for hit in hits):
        columns["_tensor_score"] = [hit.tensor_score for hit in hits]
        columns["_lexical_score"] = [hit.lexical_score for hit in hits]
    for name in dict.fromkeys(name for hit in hits for name in hit.fields):
        columns[name] = [hit.fields.get(name) for hit in hits]
    if any(hit.highlights for hit in hits):
        columns["_highlights"] = [hit.highlights for hit in hits]
    return pd.DataFrame(columns)


def documents_of(frame: pandas.DataFrame, id_column: str | None = None) -> Iterator[dict[str, Any] | Unsendable]:
    """A document for each row, in order; one whose values have no JSON is told of in its place.

    A column is a field, ``id_column`` the documents' ``_id``. Missing values (None, NaN, NaT, NA) are left out. Dates
    and times are texts in ISO 8601, numbers of numpy plain numbers, arrays and tuples lists.
    Raises: KeyError where there is no such column; ImportError where pandas is not installed.
    """
    if id_column is not None and id_column not in frame.columns:
        raise KeyError(f"the table has no column {id_column!r} for ids; it has {list(map(str, frame.columns))}")
    is_missing = _missing_test(_pandas())
    names = [ID if name == id_column else str(name) for name in frame.columns]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"the table has several columns of one name: {', '.join(sorted(repeated))}")
    return (_document(names, row, is_missing) for row in frame.itertuples(index=False, name=None))


def _document(names: list[str], row: tuple[Any, ...], is_missing: Callable[[Any], bool]) -> dict[str, Any] | Unsendable:
    values = {name: value for name, value in zip(names, row, strict=True) if not is_missing(value)}
    document_id = _id_text(values.pop(ID)) if ID in values else ""
    if ID in names and not document_id:
        return Unsendable("", "the row has no id")
    document: dict[str, Any] = {ID: document_id} if document_id else {}
    for name, value in values.items():
        try:
            document[name] = _plain(value, is_missing)
        except ValueError as error:
            return Unsendable(document_id, f"column {name!r}: {error}")
    return document


def _id_text(value: Any) -> str:
    """A whole number without a fraction, as a column of numbers with gaps has them."""
    is_whole = not isinstance(value, str) and hasattr(value, "is_integer") and value.is_integer()
    return str(int(value)) if is_whole else str(value)


def _plain(value: Any, is_missing: Callable[[Any], bool]) -> Any:
    """The value as JSON has it. Raises: ValueError."""
    if hasattr(value, "tolist") and not isinstance(value, str):
        value = value.tolist()
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is a number that JSON has not")
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(part, is_missing) for key, part in value.items() if not is_missing(part)}
    if isinstance(value, list | tuple):
        if any(map(is_missing, value)):
            raise ValueError("a value within a list is missing")
        return [_plain(part, is_missing) for part in value]
    raise ValueError(f"a {type(value).__name__} has no JSON; make it a text, a number or a list of them first")


def _missing_test(pd: Any) -> Callable[[Any], bool]:
    """Whether a single value is missing; a list or an array never is, whatever is in it."""

    def is_missing(value: Any) -> bool:
        return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))

    return is_missing


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("tables need pandas: pip install 'vector-sidecar[client]'") from error
    return pandas
