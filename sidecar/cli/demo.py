"""``sidecar demo``: the documentation of Python's standard library, indexed and searched by meaning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click
from flask.testing import FlaskClient
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sidecar.cli.demo_corpus import read_documents
from sidecar.cli.local_app import command_settings, local_app
from sidecar.config import Settings
from sidecar.errors import SidecarError

INDEX = "python-docs"
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
REQUEST_DOCUMENTS = 200
SETTINGS = {"index_defaults": {"model": MODEL}, "number_of_shards": 1}

SEARCHES: Sequence[tuple[str, dict[str, Any]]] = (
    ("by meaning", {"q": "make a temporary directory that goes away by itself"}),
    ("by meaning", {"q": "measure how long a piece of code takes"}),
    ("by meaning", {"q": "guess what kind of file it is by its name"}),
    ("by meaning", {"q": "find words that are spelled alike"}),
    ("by meaning, in one module", {"q": "wait until all workers are done", "filter": "module:concurrent"}),
    ("by its words", {"q": "leap year", "searchMethod": "LEXICAL"}),
)

console = Console(highlight=False)


@click.command()
@click.option("--documents", type=click.IntRange(min=1), help="Index only so many documents, spread over the library.")
def demo(documents: int | None) -> None:
    """Index the documentation of Python's standard library, and search it."""
    try:
        settings = command_settings()
        with local_app(settings, console) as app:
            client = app.test_client()
            _index(client, read_documents(documents))
            for kind, search in SEARCHES:
                _show(client, kind, search)
    except SidecarError as error:
        raise click.ClickException(error.message) from error
    _say_how_to_go_on(settings)


def _index(client: FlaskClient, documents: Sequence[dict[str, Any]]) -> None:
    """Bring the index up to date with the documents; those that are there as they are stay untouched."""
    created = client.post(f"/indexes/{INDEX}", json=SETTINGS)
    if created.status_code != 409:
        _checked(created)
    with console.status(f"Loading model {MODEL}; the first time it is converted, which takes 10 to 20 s"):
        started = time.perf_counter()
        _post(client, f"/indexes/{INDEX}/search", {"q": "a first query loads the model", "limit": 1})
        console.print(f"Model {MODEL} loaded in {time.perf_counter() - started:.1f} s")
    changed = _changed(client, documents)
    if not changed:
        console.print(f"All {len(documents)} documents are in index {INDEX} already\n")
        return
    started = time.perf_counter()
    columns = (
        TextColumn("Indexing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} docs/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(changed), rate=0.0)
        for first in range(0, len(changed), REQUEST_DOCUMENTS):
            part = changed[first : first + REQUEST_DOCUMENTS]
            answer = _post(
                client, f"/indexes/{INDEX}/documents", {"documents": part, "tensorFields": ["title", "body"]}
            )
            failed = [item for item in answer["items"] if "error" in item]
            if failed:
                raise click.ClickException(f"document {failed[0]['_id']}: {failed[0]['error']}")
            done = first + len(part)
            progress.update(task, completed=done, rate=done / (time.perf_counter() - started))
    client.post(f"/indexes/{INDEX}/refresh")
    stats = client.get(f"/indexes/{INDEX}/stats").json
    assert stats is not None
    console.print(
        f"{stats['numberOfDocuments']} documents, {stats['numberOfVectors']} vectors, "
        f"{len(changed) / (time.perf_counter() - started):.0f} docs/s\n"
    )


def _changed(client: FlaskClient, documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    changed: list[dict[str, Any]] = []
    for first in range(0, len(documents), 1000):
        part = documents[first : first + 1000]
        answer = _checked(client.get(f"/indexes/{INDEX}/documents", json=[document["_id"] for document in part]))
        for document, stored in zip(part, answer["results"], strict=True):
            stored.pop("_found")
            if stored != document:
                changed.append(document)
    return changed


def _show(client: FlaskClient, kind: str, search: dict[str, Any]) -> None:
    body = search | {"limit": 3}
    started = time.perf_counter()
    hits = _post(client, f"/indexes/{INDEX}/search", body)["hits"]
    took_ms = (time.perf_counter() - started) * 1000
    filtered = f"  filter {search['filter']}" if "filter" in search else ""
    title = f"[bold]{escape(search['q'])}[/bold]  [dim]({kind}{escape(filtered)}, {took_ms:.0f} ms)[/dim]"
    console.print(title, soft_wrap=True)
    for hit in hits:
        console.print(f"  [green]{hit['_score']:.3f}[/green] [cyan]{escape(hit['title'])}[/cyan]")
        highlight = next(iter(hit["_highlights"].values())) if hit["_highlights"] else hit["body"]
        console.print(f"        {escape(' '.join(highlight.split())[:110])}", soft_wrap=True)
    console.print()


def _post(client: FlaskClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return _checked(client.post(path, json=body))


def _checked(response: Any) -> dict[str, Any]:
    answer: dict[str, Any] = response.json
    if response.status_code >= 400:
        raise click.ClickException(answer.get("message", str(answer)))
    return answer


def _say_how_to_go_on(settings: Settings) -> None:
    console.print("Go on with your own questions:\n\n  .venv/bin/sidecar serve\n", markup=False)
    console.print(f"in the browser, at http://{settings.host}:{settings.port}/ui, or\n", markup=False, soft_wrap=True)
    console.print(
        f"  curl -s http://{settings.host}:{settings.port}/indexes/{INDEX}/search \\\n"
        '    -H \'Content-Type: application/json\' -d \'{"q": "average of a list of numbers", "limit": 3}\'\n',
        markup=False,
        soft_wrap=True,
    )
