"""LlamaIndex's vector store on the native face: ``python … NATIVE_URL INDEX``; its vectors are its user's own."""

import json
import sys

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore

NATIVE, INDEX = sys.argv[1:]
VECTORS = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

client = OpensearchVectorClient(NATIVE, INDEX, 3, engine="lucene", method=None)
store = OpensearchVectorStore(client)
nodes = [
    TextNode(
        id_=f"node-{number}",
        text=f"text {number}",
        embedding=vector,
        metadata={"colour": "red" if number else "blue"},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"source-{number}")},
    )
    for number, vector in enumerate(VECTORS)
]
added = store.add(nodes)
store.client._os_client.indices.refresh(index=INDEX)
near = store.query(VectorStoreQuery(query_embedding=[0.9, 0.1, 0.0], similarity_top_k=2))
red = MetadataFilters(filters=[MetadataFilter(key="colour", value="red")])
filtered = store.query(VectorStoreQuery(query_embedding=[0.9, 0.1, 0.0], similarity_top_k=3, filters=red))
store.delete("source-1")
store.client._os_client.indices.refresh(index=INDEX)
left = store.query(VectorStoreQuery(query_embedding=[0.0, 1.0, 0.0], similarity_top_k=3))
print(
    json.dumps(
        {"added": added, "near": near.ids, "filtered": sorted(filtered.ids), "left": sorted(left.ids)},
    )
)
