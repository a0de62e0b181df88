from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import embedded_key, field_of_key, nested_path, vector_path
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.mapping_builder import build_embedded_fields, build_index_body


def test_plain_names_stay_as_they_are() -> None:
    assert nested_path("title_1-ü") == "__embeddings.title_1-ü"
    assert vector_path("my title") == "__embeddings.my%20title.vector"


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_the_key_of_any_field_leads_back_to_the_field(field: str) -> None:
    key = embedded_key(field)
    assert field_of_key(key) == field
    assert "." not in key


def test_the_cluster_takes_the_vectors_of_a_field_of_any_printable_name(cluster: Cluster, index_name: str) -> None:
    settings = IndexSettings(number_of_shards=1)
    cluster.create_index(index_name, build_index_body(settings, 2))
    printable = "".join(chr(code) for code in range(32, 127))
    fields = [printable, *(f"a{character}b" for character in printable)]
    cluster.put_mapping(index_name, {"properties": build_embedded_fields(dict.fromkeys(fields, 2), settings)})
