"""Which engines and spaces of the k-NN plugin an index may use, by the cluster's version."""

from __future__ import annotations

import difflib

from sidecar.errors import InvalidArgument
from sidecar.opensearch.client import ClusterFacts, Version

# The first OpenSearch version whose engine has the space, for float vectors in HNSW graphs.
_SPACES: dict[str, dict[str, Version]] = {
    "lucene": {"l2": (2, 2, 0), "cosinesimil": (2, 2, 0), "innerproduct": (2, 13, 0)},
    "faiss": {"l2": (1, 2, 0), "innerproduct": (1, 2, 0), "cosinesimil": (2, 19, 0)},
}
_ENGINE = "index_defaults.ann_parameters.engine"
_SPACE = "index_defaults.ann_parameters.space_type"


def check_ann(engine: str, space_type: str, facts: ClusterFacts) -> None:
    """Raises: InvalidArgument where the cluster can't index such vectors; it says what the cluster can."""
    engines = _engines(facts)
    if engine not in engines:
        raise InvalidArgument(f"{_ENGINE}: {_why_not(engine, facts)} Supported here: {', '.join(engines)}.")
    spaces = [name for name, since in _SPACES[engine].items() if facts.version >= since]
    if space_type not in spaces:
        near = difflib.get_close_matches(space_type, spaces, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        version = ".".join(map(str, facts.version))
        raise InvalidArgument(
            f"{_SPACE}: the engine {engine} of OpenSearch {version} has no space {space_type!r}.{hint} "
            f"It has: {', '.join(spaces)}."
        )


def _engines(facts: ClusterFacts) -> tuple[str, ...]:
    return ("lucene",) if facts.is_embedded else tuple(_SPACES)


def _why_not(engine: str, facts: ClusterFacts) -> str:
    if engine == "faiss" and facts.is_embedded:
        return "the embedded OpenSearch has no faiss library; set OPENSEARCH_URL to a full OpenSearch for it."
    if engine == "nmslib" and facts.version >= (3, 0, 0):
        return "OpenSearch 3 and later make no indexes with nmslib."
    if engine == "nmslib":
        return "nmslib can't filter while it searches, and OpenSearch 3 has dropped it."
    return f"{engine!r} is not an engine."
