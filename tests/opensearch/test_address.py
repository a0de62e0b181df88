from __future__ import annotations

import threading

import pytest

from sidecar.errors import ConfigurationError, EmbeddedNodeError, OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress, Endpoint


def test_endpoint_takes_port_prefix_and_credentials_apart() -> None:
    endpoint = Endpoint.parse("https://user:p%40ss@search.example:9243/os/")
    assert (endpoint.host, endpoint.port, endpoint.is_tls, endpoint.path_prefix) == (
        "search.example",
        9243,
        True,
        "/os",
    )
    assert endpoint.authorization == "Basic dXNlcjpwQHNz"  # user:p@ss


@pytest.mark.parametrize(("url", "port"), [("http://h", 80), ("https://h", 443), ("http://[::1]:9200", 9200)])
def test_endpoint_takes_the_scheme_s_port_when_none_is_given(url: str, port: int) -> None:
    assert Endpoint.parse(url).port == port


def test_endpoint_shows_no_password() -> None:
    endpoint = Endpoint.parse("http://user:secret@h:9200")
    assert str(endpoint) == "http://h:9200"
    assert "secret" not in repr(endpoint)
    assert (endpoint.authorization or "") not in repr(endpoint)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:9200",
        "ftp://h",
        "http://",
        "http://h:port",
        "http://h:99999",
        "http://h?a=b",
        "http://h#a",
        "http://[::1",
    ],
)
def test_endpoint_refuses_what_is_no_base_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENSEARCH_URL"):
        Endpoint.parse(url)


@pytest.mark.parametrize(
    "url", ["https://admin:hunter2/x@h:9200", "https://admin:hunter2#x@h:9200", "https://admin:hunter2?x@h:9200"]
)
def test_a_password_that_breaks_the_url_is_not_told_but_how_to_write_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"password write .*%23 for '#'") as caught:
        Endpoint.parse(url)
    assert "hunter2" not in caught.value.message


def test_address_says_that_opensearch_is_starting_when_it_is_not_known_yet() -> None:
    address = ClusterAddress()
    assert not address.is_known
    with pytest.raises(OpenSearchUnreachable, match="still starting"):
        address.endpoint(wait_seconds=0.01)


def test_address_wakes_a_waiting_request_when_it_is_announced() -> None:
    address = ClusterAddress()
    threading.Timer(0.01, address.announce, ["http://127.0.0.1:9200"]).start()
    assert address.endpoint(wait_seconds=30).port == 9200


def test_address_raises_the_start_s_error_for_each_request_until_it_is_announced() -> None:
    address = ClusterAddress()
    address.fail(EmbeddedNodeError("no Java on this machine"))
    for _ in range(2):
        with pytest.raises(EmbeddedNodeError, match="no Java"):
            address.endpoint(wait_seconds=30)
    address.announce("http://127.0.0.1:9200")
    assert address.endpoint().port == 9200
