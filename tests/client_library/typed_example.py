"""A program that uses all of the client; mypy checks it, nobody runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from sidecar.client import (
    AddOptions,
    ApiError,
    AsyncSidecarClient,
    Hit,
    Hits,
    HybridParameters,
    Item,
    NoAnswer,
    Progress,
    Recommend,
    Retries,
    Search,
    SidecarClient,
    StreamBroken,
    UpdateOptions,
    image_text,
)


def search(url: str) -> list[str]:
    with SidecarClient(url, api_key="key", timeout_seconds=5, retries=Retries(again=1)) as client:
        index = client.index("help-desk")
        halves = HybridParameters(alpha=0.3, ranking_method="rrf")
        found: Hits = index.search(Search("mail", search_method="HYBRID", hybrid_parameters=halves, limit=3))
        best: Hit = found[0]
        few: tuple[Hit, ...] = found[:2]
        score: float | None = best.score
        pictures = index.search({image_text(Path("cat.jpg")): 1.0, "at night": 0.5})
        like = index.recommend(Recommend({best.id: 1.0}, filter={"term": {"topic.keyword": "billing"}}))
        all_ids = [hit.id for hit in index.search_all(Search("mail", search_method="LEXICAL"), page_hits=500)]
        return [*all_ids, *(hit.id for hit in (*few, *pictures, *like)), str(score)]


def write(url: str) -> Progress | str:
    client = SidecarClient(url)
    index = client.index("help-desk")
    try:
        for progress in index.stream(({"title": str(number)} for number in range(3)), ["title"]):
            failures: tuple[Item, ...] = progress.failures
            print(progress.received, failures)
        index.update([{"_id": "a", "minutes": 3}], UpdateOptions(refresh=True))
        moved_from: str | None = index.put_alias("desk").moved_from
        print(moved_from, index.delete_by_query("minutes:>5").deleted)
        return index.add([{"title": "A."}], AddOptions(["title"], refresh=True))
    except StreamBroken as broken:
        return broken.progress
    except (ApiError, NoAnswer) as error:
        return error.request_id
    finally:
        client.close()


async def both(url: str) -> list[Hit]:
    async def documents() -> AsyncIterator[dict[str, str]]:
        yield {"title": "A."}

    async with AsyncSidecarClient(url) as client:
        index = client.index("help-desk")
        whole: Progress = await index.add(documents(), ["title"])
        print(whole.failed)
        return [hit async for hit in index.search_all("mail")]


def wrong(url: str) -> None:
    index = SidecarClient(url).index("help-desk")
    index.search(Search("mail", search_method="NEURAL"))  # type: ignore[arg-type]
    index.search(Search("mail", limits=3))  # type: ignore[call-arg]
    index.search(3)  # type: ignore[arg-type]
    index.recommend(["a"]).hits.append("b")  # type: ignore[attr-defined]
