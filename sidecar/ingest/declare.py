"""Declares an embedded field on indexes that are there, as a client would: by `PUT /{index}/_mapping`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from sidecar.ingest.face_client import FaceClient, failed
from sidecar.native.declarations.stored import FIELDS_KEY
from sidecar.native.targets import index_target
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.mapping_builder import META_KEY
from sidecar.opensearch.transport import Request

_META = "_meta"


def declare_field(cluster: Cluster, face: FaceClient, index: str, vector: str, entry: dict[str, Any]) -> list[str]:
    """Declare the vector on every index behind the name; returns these indexes. All else in `_meta` stays.

    Raises: OpenSearchError with the reason where one refuses: no ``index.knn``, another declaration of that vector, an
    unknown model. Those before it have the declaration then.
    """
    answer = cluster.ask("read_index", Request("GET", index_target(index)), index)
    for name, facts in answer.items():
        meta = facts.get("mappings", {}).get(_META) or {}
        # The face merges our own key back; what else is there goes with `_meta`.
        others = {key: value for key, value in meta.items() if key != META_KEY}
        body = {_META: {**others, META_KEY: {FIELDS_KEY: {vector: entry}}}}
        status, text = face.request("PUT", f"/{quote(name, safe='')}/_mapping", orjson.dumps(body))
        if status != 200:
            raise failed(f"'{vector}' can't be declared in index '{name}'", status, text)
    return list(answer)
