import pytest

from sidecar.errors import ConfigurationError
from sidecar.ingest.ray_engine.session import ray_session


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("ray://127.0.0.1:10001", "a Ray client server; a load needs to run on a machine of the cluster"),
        ("nonsense", "Invalid address format"),
    ],
)
def test_an_address_that_leads_to_no_cluster_is_named_with_the_reason(address: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as refused, ray_session(address):
        pass
    assert f"RAY_ADDRESS is {address}" in refused.value.message
