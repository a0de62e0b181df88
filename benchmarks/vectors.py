"""What smaller vectors cost and give: ``python -m benchmarks.vectors --sets FOLDER``.

Prints a Markdown table. The documents of test collections in the layout of BEIR are embedded once, and indexed through
the API as vectors of the caller's own, in each form; queries are answered by the cluster's HNSW.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import click
import numpy as np

from benchmarks.raw import load_raw
from benchmarks.retrieval import Collection, Quality, measure_ranking, read_collections
from benchmarks.server import Client, Server
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.normalizing import normalized
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running

INDEX = "bench-vectors"
_REQUEST = 500
_LIMIT = 100
FORMS: dict[str, dict[str, Any]] = {
    "float": {},
    "encoder `sq`": {"parameters": {"encoder": {"name": "sq"}}},
    "`byte`": {"data_type": "byte"},
}


@dataclass
class Form:
    """One way to store vectors, and what was measured of it on each collection."""

    name: str
    ann: dict[str, Any]
    sizes: list[int] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)


@click.command()
@click.option("--sets", required=True, type=click.Path(exists=True, path_type=Path), help="Folder of test collections.")
def main(sets: Path) -> None:
    """Measure every form of vectors on every collection."""
    forms = [Form(name, ann) for name, ann in FORMS.items()]
    collections = read_collections(sets)
    loader = load_raw()
    with ensure_running(load_settings(), ephemeral=True) as node, Server(node.url) as server:
        for collection in collections:
            documents, queries = (
                normalized(loader.encode_text(texts)) for texts in (collection.documents, collection.queries)
            )
            for form in forms:
                _index(server, form, collection, documents)
                form.sizes.append(_index_bytes(node.url))
                form.qualities.append(measure_ranking(collection, _search(server, queries)))
                Client(server.url).call("DELETE", f"/indexes/{INDEX}")
                click.echo(f"{collection.name}: {form.name}", err=True)
    click.echo(table(forms, collections))


def _index(server: Server, form: Form, collection: Collection, vectors: Embeddings) -> None:
    client = Client(server.url)
    properties = {"dimensions": vectors.shape[1]}
    defaults = {"model": "no_model", "model_properties": properties, "ann_parameters": form.ann}
    client.call("POST", f"/indexes/{INDEX}", {"index_defaults": defaults, "number_of_shards": 1})
    docs = [
        {"_id": document_id, "v": {"vector": vector}}
        for document_id, vector in zip(collection.document_ids, vectors.tolist(), strict=True)
    ]
    for first in range(0, len(docs), _REQUEST):
        body: dict[str, Any] = {"documents": docs[first : first + _REQUEST], "tensorFields": ["v"]}
        answer = client.call(
            "POST", f"/indexes/{INDEX}/documents", body | {"mappings": {"v": {"type": "custom_vector"}}}
        )
        if answer["errors"]:
            raise RuntimeError(f"documents failed: {[item for item in answer['items'] if 'error' in item][:3]}")
    client.call("POST", f"/indexes/{INDEX}/refresh")


def _search(server: Server, queries: Embeddings) -> list[list[str]]:
    client = Client(server.url)
    found = []
    for vector in queries.tolist():
        context = {"tensor": [{"vector": vector, "weight": 1.0}]}
        body: dict[str, Any] = {"q": None, "context": context, "limit": _LIMIT, "showHighlights": False}
        body["attributesToRetrieve"] = []
        answer = client.call("POST", f"/indexes/{INDEX}/search", body)
        found.append([hit["_id"] for hit in answer["hits"]])
    return found


def _index_bytes(cluster_url: str) -> int:
    """Bytes of the whole index on disk."""
    with urlopen(f"{cluster_url}/{INDEX}/_stats/store") as answer:
        size: int = json.load(answer)["_all"]["primaries"]["store"]["size_in_bytes"]
    return size


def table(forms: Sequence[Form], collections: Sequence[Collection]) -> str:
    """The Markdown table; the first form is what the others are compared with."""
    head = ["vectors"]
    for collection in collections:
        head += [f"{collection.name} nDCG@10", "recall@100", "nearest ten kept", "index on disk"]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for form in forms:
        cells = [form.name]
        for base, own, size in zip(forms[0].qualities, form.qualities, form.sizes, strict=True):
            kept = np.mean([len(one & other) / 10 for one, other in zip(base.nearest, own.nearest, strict=True)])
            cells += [f"{own.ndcg_at_10:.4f}", f"{own.recall_at_100:.4f}", f"{kept:.1%}", f"{size / 1e6:.0f} MB"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
