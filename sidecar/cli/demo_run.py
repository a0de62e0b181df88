"""The work of `sidecar demo`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sidecar.cli.called_by import called_by
from sidecar.cli.consoles import progress_console
from sidecar.cli.demo_corpus import read_documents
from sidecar.cli.ending import CommandFailed
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.printable import escape
from sidecar.config import Settings
from sidecar.listeners import url_of

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


@dataclass(frozen=True)
class Answer:
    """A search, and what it found."""

    kind: str
    search: dict[str, Any]
    hits: list[dict[str, Any]]
    took_ms: float


def demo(given: Mapping[str, Any]) -> int:
    """Index the documentation, and search it; a `Work`. With JSON, what goes on is told on standard error."""
    as_json: bool = given[JSON]
    console = progress_console() if as_json else Console(highlight=False)
    settings = command_settings()
    answers = []
    with local_app(settings, console) as app:
        client = app.test_client()
        with console.status("Reading the documentation of Python's library"):
            documents = read_documents(given["documents"])
        _index(client, documents, console)
        for kind, search in SEARCHES:
            started = time.perf_counter()
            hits = _post(client, f"/indexes/{INDEX}/search", search | {"limit": 3})["hits"]
            answers.append(Answer(kind, search, hits, (time.perf_counter() - started) * 1000))
            if not as_json:
                _show(answers[-1], console)
    if as_json:
        echo_json({"index": INDEX, "model": MODEL, "searches": answers})
    else:
        _say_how_to_go_on(settings, console)
    return ExitStatus.DONE


def _index(client: FlaskClient, documents: Sequence[dict[str, Any]], console: Console) -> None:
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
                raise CommandFailed(f"document {failed[0]['_id']}: {failed[0]['error']}", ExitStatus.FAILED)
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


def _show(answer: Answer, console: Console) -> None:
    search = answer.search
    filtered = f"  filter {search['filter']}" if "filter" in search else ""
    title = f"[bold]{escape(search['q'])}[/bold]  [dim]({answer.kind}{escape(filtered)}, {answer.took_ms:.0f} ms)[/dim]"
    console.print(title, soft_wrap=True)
    for hit in answer.hits:
        console.print(f"  [green]{hit['_score']:.3f}[/green] [cyan]{escape(hit['title'])}[/cyan]")
        highlight = next(iter(hit["_highlights"].values())) if hit["_highlights"] else hit["body"]
        console.print(f"        {escape(' '.join(highlight.split())[:110])}", soft_wrap=True)
    console.print()


def _post(client: FlaskClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return _checked(client.post(path, json=body))


def _checked(response: Any) -> dict[str, Any]:
    answer: dict[str, Any] = response.json
    if response.status_code >= 400:
        raise CommandFailed(answer.get("message", str(answer)), ExitStatus.FAILED)
    return answer


def _say_how_to_go_on(settings: Settings, console: Console) -> None:
    url = _server_url(settings)
    console.print(f"Go on with your own questions:\n\n  {called_by()} serve\n", markup=False, soft_wrap=True)
    console.print(f"in the browser, at {url}/ui, or\n", markup=False, soft_wrap=True)
    console.print(
        f"  curl -s {url}/indexes/{INDEX}/search \\\n"
        '    -H \'Content-Type: application/json\' -d \'{"q": "average of a list of numbers", "limit": 3}\'\n',
        markup=False,
        soft_wrap=True,
    )


def _server_url(settings: Settings) -> str:
    """Where a server with these settings is found from this machine."""
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host
    return url_of(host, settings.port, is_tls=settings.tls_certificate is not None)
