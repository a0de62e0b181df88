"""The documents of an index that is there already."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import EvaluatedDocument, text_document
from sidecar.evaluation.data.corpus import joined
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.document_scan import DocumentScan
from sidecar.opensearch.index_states import IndexStates

_PAGE_DOCUMENTS = 500


def read_stored(
    cluster: Cluster, states: IndexStates, index: str, fields: Sequence[str] | None
) -> list[EvaluatedDocument]:
    """The documents of an index of the sidecar, as it is at this moment; of each these fields, by default those that
    the index embeds. The index stays as it is.

    Raises: IndexNotFound, NotASidecarIndex; InvalidArgument where the index embeds images, or nothing and no fields
    are given.
    """
    state = states.get(index, is_fresh=True)
    if state.settings.treat_urls_and_pointers_as_images:
        raise InvalidArgument(f"Index '{index}' embeds images: give the folder of the pictures and their captions.")
    chosen = tuple(fields or state.embedded_fields)
    if not chosen:
        raise InvalidArgument(f"Index '{index}' has no embedded field yet: name the fields with --fields.")
    scan = DocumentScan(cluster, state.index, {"match_all": {}}, fields=chosen, page_documents=_PAGE_DOCUMENTS)
    found: dict[str, EvaluatedDocument] = {}
    for page, _ in scan.pages():
        for hit in orjson.loads(page)["hits"]["hits"]:
            found[hit["_id"]] = text_document(hit["_id"], joined(hit.get("_source", {}), chosen))
    if fields is not None and not any(document.content for document in found.values()):
        raise InvalidArgument(f"No document of index '{index}' has {' or '.join(fields)}: name others with --fields.")
    # The scan's order is that of the last writes.
    return sorted(found.values(), key=lambda document: document.document_id)
