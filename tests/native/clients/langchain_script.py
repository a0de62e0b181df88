"""LangChain's vector store on the native face, its vectors of ``/v1/embeddings``: ``python … NATIVE_URL URL INDEX``."""

import json
import sys
import urllib.request

from langchain_community.vectorstores import OpenSearchVectorSearch
from langchain_core.embeddings import Embeddings

NATIVE, URL, INDEX = sys.argv[1:]
TEXTS = ["the wild west", "a quiet garden", "cowboys and horses", "roses in bloom"]


class FromTheSidecar(Embeddings):
    """Embeddings by the sidecar's OpenAI-compatible route."""

    def embed_documents(self, texts):
        body = json.dumps({"model": "random/small", "input": texts}).encode()
        request = urllib.request.Request(f"{URL}/v1/embeddings", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return [row["embedding"] for row in json.load(answer)["data"]]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


store = OpenSearchVectorSearch.from_texts(
    TEXTS,
    FromTheSidecar(),
    metadatas=[{"place": number} for number in range(len(TEXTS))],
    opensearch_url=NATIVE,
    index_name=INDEX,
    engine="lucene",
    space_type="cosinesimil",
)
store.client.indices.refresh(index=INDEX)
exact = store.similarity_search_with_score(TEXTS[2], k=1)
filtered = store.similarity_search(TEXTS[2], k=4, efficient_filter={"term": {"metadata.place": 1}})
script = store.similarity_search(TEXTS[3], k=1, search_type="script_scoring", space_type="cosinesimil")
print(
    json.dumps(
        {
            "first": exact[0][0].page_content,
            "score": exact[0][1],
            "filtered": [document.page_content for document in filtered],
            "by_script": script[0].page_content,
        }
    )
)
