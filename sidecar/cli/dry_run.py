"""What `sidecar ingest --dry-run` shows."""

from __future__ import annotations

from itertools import chain
from typing import Any

import orjson

from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import echo_json
from sidecar.cli.printable import echo
from sidecar.ingest.loading.dry_run import Sample, TriedDocument, try_sample
from sidecar.ingest.loading.estimate import Estimate, estimate
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.progress import Total
from sidecar.ingest.loading.reading import SampledPart
from sidecar.ingest.loading.target_index import IndexWish, Target, dry_target
from sidecar.ingest.sources.source import Source

_SHOWN_NUMBERS = 4
"""Of a vector."""


def show_dry_run(
    parts: LoadParts, plan: LoadPlan, wish: IndexWish, source: Source, *, documents: int, as_json: bool
) -> ExitStatus:
    """Show so many documents as they would be indexed, and what loading all of them would take; nothing is written.

    Returns: as of a load of the documents that were tried.
    Raises: as the load would before it begins, and as `try_sample`.
    """
    read = [SampledPart(part) for part in source.parts()]
    target, is_there = dry_target(parts, plan, wish, chain.from_iterable(part.sample() for part in read))
    sample = try_sample(parts, plan, target, chain.from_iterable(part.records() for part in read))
    estimated = estimate(sample, Total.of(read), target)
    if as_json:
        echo_json(_as_json(sample, estimated, documents))
    else:
        echo(_told_index(plan.index, target, is_there=is_there))
        for tried in sample.documents[:documents]:
            echo(_told_document(tried))
        echo(_told_estimate(sample, estimated))
    return ExitStatus.PROBLEMS if sample.failed else ExitStatus.DONE


def _told_index(index: str, target: Target, *, is_there: bool) -> str:
    where = "is there" if is_there else "would be made"
    return f"Index {index} {where}: model {target.settings.model}, {target.dimensions} dimensions\n"


def _told_document(tried: TriedDocument) -> str:
    record = tried.record
    place = f"{record.part}, row {record.row}"
    if tried.failure is not None:
        return f"{place}: would fail: {tried.failure}\n"
    chunks = ", ".join(f"{field} ({count} chunk{'s' if count > 1 else ''})" for field, count in tried.chunks.items())
    text = orjson.dumps(_short(tried.document), option=orjson.OPT_INDENT_2, default=repr).decode()
    return f"{place}:\n{text}\nembedded: {chunks or 'nothing'}\n"


def _short(value: Any) -> Any:
    """The value with long lists of numbers cut."""
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items()}
    if isinstance(value, list) and len(value) > _SHOWN_NUMBERS and all(isinstance(each, float) for each in value):
        return [*value[:_SHOWN_NUMBERS], f"… {len(value)} numbers"]
    return value


def _told_estimate(sample: Sample, found: Estimate | None) -> str:
    tried, failed = len(sample.documents), sample.failed
    if found is None:
        return f"All of the first {tried} records would fail. Nothing was written."
    lines = [f"By the first {tried} records, of which {failed} would fail:"]
    lines.append(f"  documents  {'unknown' if found.documents is None else f'about {found.documents:,}'}")
    lines.append(f"  chunks     {found.chunks_per_document:.1f} a document")
    if found.documents_per_second is None:
        lines.append("  time       no model runs; the cluster decides")
    else:
        time = "" if found.seconds is None else f"about {_duration(found.seconds)}, "
        lines.append(f"  time       {time}{found.documents_per_second:,.0f} docs/s embedded on this machine")
    if found.stored_bytes is not None and found.vector_bytes is not None:
        lines.append(
            f"  storage    about {_size(found.stored_bytes)}; {_size(found.vector_bytes)} of it are vectors and their "
            "graph, which searches want in memory"
        )
    return "\n".join([*lines, "Nothing was written."])


def _as_json(sample: Sample, found: Estimate | None, documents: int) -> dict[str, Any]:
    return {
        "documents": [
            {
                "part": tried.record.part,
                "row": tried.record.row,
                "document": tried.document,
                "chunks": tried.chunks,
                "failure": tried.failure,
            }
            for tried in sample.documents[:documents]
        ],
        "sample": {"records": len(sample.documents), "failed": sample.failed},
        "estimate": found,
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _size(size_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes / 1e3:.0f} kB"
