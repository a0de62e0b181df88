"""The contestants: whose code each runs, in which environment, before which server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One way to search by meaning, with one engine for the model.

    ``script`` is its user's code in `contestants`, ``shared`` other files there that it imports; ``environment`` a file
    in ``requirements`` (None: the sidecar's own environment); ``engine`` what the model runs in, where that is for the
    user to choose; ``server`` what runs before the cluster, if anything. The stored vector of a document lies at
    ``vector_path`` in ``_source``, None where the index is none of OpenSearch. ``takes_batches`` is True where the size
    of batches is the user's to choose.
    """

    name: str
    title: str
    script: str
    packages: tuple[str, ...]
    environment: str | None = None
    engine: str | None = None
    server: str | None = None
    shared: tuple[str, ...] = ()
    vector_path: str | None = "vector"
    takes_batches: bool = True


_BY_HAND = ("sentence-transformers", "opensearch-py", "torch", "transformers")
_INFINITY = ("infinity-emb", "openai", "opensearch-py", "sentence-transformers", "torch", "transformers")

ENTRIES = (
    Entry(
        "sidecar",
        "vector-sidecar",
        "with_sidecar",
        ("vector-sidecar", "onnxruntime"),
        server="sidecar",
        vector_path="__embeddings.text.vector",
        takes_batches=False,
    ),
    Entry("by-hand", "by hand, torch", "by_hand", _BY_HAND, engine="torch", shared=("knn_index",)),
    Entry(
        "by-hand-onnx",
        "by hand, ONNX",
        "by_hand",
        (*_BY_HAND, "optimum-onnx", "onnxruntime"),
        environment="onnx",
        engine="onnx",
        shared=("knn_index",),
    ),
    Entry(
        "infinity",
        "Infinity, torch",
        "with_infinity",
        _INFINITY,
        environment="infinity",
        engine="torch",
        server="infinity",
        shared=("knn_index",),
    ),
    Entry(
        "infinity-optimum",
        "Infinity, optimum",
        "with_infinity",
        (*_INFINITY, "optimum", "onnxruntime"),
        environment="infinity",
        engine="optimum",
        server="infinity",
        shared=("knn_index",),
    ),
    Entry(
        "txtai",
        "txtai",
        "with_txtai",
        ("txtai", "faiss-cpu", "torch", "transformers"),
        environment="txtai",
        vector_path=None,
    ),
)
