"""What users of opensearch-py write, in a Python of its own: ``python … URL INDEX``; prints what came of it as JSON."""

import asyncio
import json
import sys

from opensearchpy import AsyncOpenSearch, OpenSearch, Search
from opensearchpy.helpers import async_bulk, async_scan, bulk, parallel_bulk, scan, streaming_bulk
from opensearchpy.helpers.query import Query

URL, INDEX = sys.argv[1:]
TEXTS = ["the wild west", "a quiet garden", "cowboys and horses", "roses in bloom", "a sheriff in town"]


class Neural(Query):
    """What the DSL has not: queries of the plugin."""

    name = "neural"


def actions(start, count):
    for number in range(start, start + count):
        yield {"_index": INDEX, "_id": str(number), "body": f"{TEXTS[number % len(TEXTS)]} {number}", "number": number}


async def by_the_async_client():
    async with AsyncOpenSearch(URL) as client:
        done, errors = await async_bulk(client, actions(60, 20), refresh=True)
        found = [hit["_id"] async for hit in async_scan(client, index=INDEX, query={"query": {"match_all": {}}})]
        answer = await client.search(index=INDEX, body={"query": neural("a quiet garden 61"), "size": 1})
        return {"done": done, "errors": errors, "scanned": len(found), "first": answer["hits"]["hits"][0]["_id"]}


def neural(text):
    return {"neural": {"body_vector": {"query_text": text, "k": 10}}}


def main():
    client = OpenSearch(URL)
    done = {"bulk": bulk(client, actions(0, 20), refresh=True)[0]}
    done["streaming_bulk"] = sum(ok for ok, _ in streaming_bulk(client, actions(20, 20), chunk_size=7))
    done["parallel_bulk"] = sum(ok for ok, _ in parallel_bulk(client, actions(40, 20), thread_count=3, chunk_size=6))
    client.indices.refresh(index=INDEX)
    exact = {"_id": "poison", "_index": INDEX, "body": {"an": "object"}}
    _, refused = bulk(client, [exact], raise_on_error=False)
    search = Search(using=client, index=INDEX).query("neural", body_vector={"query_text": TEXTS[2] + " 2", "k": 5})[:3]
    scanned = sorted(hit["_id"] for hit in scan(client, index=INDEX, query={"query": {"match_all": {}}}, size=9))
    without = {"query": {"bool": {"must_not": {"exists": {"field": "body_vector"}}}}}
    print(
        json.dumps(
            {
                "done": done,
                "refused": [next(iter(item.values()))["status"] for item in refused],
                "scanned": len(scanned),
                "found_by_dsl": [hit.meta.id for hit in search.execute()],
                "first": client.search(index=INDEX, body={"query": neural("cowboys and horses 7")})["hits"]["hits"][0][
                    "_id"
                ],
                "asynchronous": asyncio.run(by_the_async_client()),
                "without_vector": client.count(index=INDEX, body=without)["count"],
                "counted": client.count(index=INDEX)["count"],
                "info": client.info()["version"]["number"],
            }
        )
    )


main()
