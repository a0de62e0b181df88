"""The settings of an index that was made with none, as clients of this API generation know them."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "index_defaults": {
        "treat_urls_and_pointers_as_images": False,
        "model": "hf/all_datasets_v4_MiniLM-L6",
        "normalize_embeddings": True,
        "text_preprocessing": {
            "split_length": 2,
            "split_overlap": 0,
            "split_method": "sentence",
            "override_text_chunk_prefix": None,
            "override_text_query_prefix": None,
        },
        "image_preprocessing": {"patch_method": None},
        "ann_parameters": {
            "name": "hnsw",
            "space_type": "cosinesimil",
            "engine": "lucene",
            "parameters": {"ef_construction": 128, "m": 16},
        },
        "search_model": "hf/all_datasets_v4_MiniLM-L6",
    },
    "number_of_shards": 3,
    "number_of_replicas": 0,
}
