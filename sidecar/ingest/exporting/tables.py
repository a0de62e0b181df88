"""What an export in Parquet begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sidecar.errors import InvalidArgument
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.ingest.exporting.targets import ExportTarget
from sidecar.opensearch.embedded_paths import ROOT

if TYPE_CHECKING:
    from sidecar.ingest.exporting.parquet import Columns


def begin_columns(targets: Sequence[ExportTarget], options: ExportOptions) -> Columns:
    """The columns that the mappings of the indexes tell. Raises: InvalidArgument where pyarrow is not installed."""
    try:
        from sidecar.ingest.exporting.parquet import Columns
    except ImportError as error:
        raise InvalidArgument("Parquet needs pyarrow: install vector-sidecar[ingest]") from error
    chosen = {field.partition(".")[0] for field in options.fields}
    fields = {
        name: mapping
        for target in targets
        for name, mapping in target.properties.items()
        if (not chosen or name in chosen)
        and not (target.embedded_fields and name == ROOT)
        and (options.with_vectors or name not in target.computed)
    }
    embedded: dict[str, None] = {}
    if options.with_vectors:
        for target in targets:
            embedded |= dict.fromkeys(
                field for field in target.embedded_fields if not chosen or field in options.fields
            )
    return Columns(fields, embedded, {path for target in targets for path in target.computed})
