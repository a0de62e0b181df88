"""GET /device/cpu and /device/cuda, and what `device` may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from sidecar.api.parameters import read_device
from sidecar.embedding import devices
from sidecar.embedding.devices import CudaDevice
from sidecar.errors import ConfigurationError, HardwareUnavailable, InvalidArgument
from tests.fix_server import MakeClient
from tests.served_app import NOBODY


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY)


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a graphics card."""
    monkeypatch.setattr(devices, "cuda_count", lambda: 0)


@pytest.fixture
def two_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with two graphics cards."""
    monkeypatch.setattr(devices, "cuda_count", lambda: 2)
    yield


def test_processors_and_memory_are_told_in_the_contracts_form(client: FlaskClient) -> None:
    body = client.get("/device/cpu").json
    assert set(body) == {"cpu_usage_percent", "memory_used_percent", "memory_used_gb"}
    for key in ("cpu_usage_percent", "memory_used_percent"):
        number, sign = body[key].split(" ")
        assert 0 <= float(number) <= 100
        assert sign == "%"
    assert float(body["memory_used_gb"]) > 0


def test_machine_without_cuda_says_so(client: FlaskClient, no_cuda: None) -> None:
    answered = client.get("/device/cuda")
    assert (answered.status_code, answered.json["code"]) == (400, "hardware_compatability_error")


def test_cuda_devices_are_listed_in_the_contracts_form(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    card = CudaDevice(1, "Some Card", int(1.2 * 1024**3), 16 * 1024**3)
    monkeypatch.setattr("sidecar.api.operations.cuda_devices", lambda: [card])
    assert client.get("/device/cuda").json == {
        "cuda_devices": [
            {"device_id": 1, "device_name": "Some Card", "memory_used": "1.2 GiB", "total_memory": "16.0 GiB"}
        ]
    }


@pytest.mark.parametrize(
    ("query", "device"),
    [("", "cuda:0"), ("?device=cpu", "cpu"), ("?device=CUDA", "cuda:0"), ("?&device=cuda1", "cuda:1")],
)
def test_device_of_a_request_is_read(client: FlaskClient, two_cuda: None, query: str, device: str) -> None:
    with client.application.test_request_context(f"/{query}"):
        assert read_device() == device


def test_device_is_the_operators_choice_where_the_request_names_none(make_client: MakeClient, two_cuda: None) -> None:
    app = make_client(opensearch_url=NOBODY, device="cuda:1").application
    with app.test_request_context("/"):
        assert read_device() == "cuda:1"
    with app.test_request_context("/?device=cpu"):
        assert read_device() == "cpu"


@pytest.mark.parametrize(
    ("device", "error"),
    [("tpu", InvalidArgument), ("cuda:1", InvalidArgument), ("cuda1", HardwareUnavailable), ("", InvalidArgument)],
)
def test_device_that_is_none_or_not_here_is_told(
    client: FlaskClient, no_cuda: None, device: str, error: type[Exception]
) -> None:
    with client.application.test_request_context(f"/?device={device}"), pytest.raises(error, match=f"'{device}'"):
        read_device()


@pytest.mark.parametrize("device", ["cuda", "tpu"])
def test_server_does_not_start_with_a_device_that_is_not_here(
    make_client: MakeClient, no_cuda: None, device: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"SIDECAR_DEVICE: device '{device}'"):
        make_client(opensearch_url=NOBODY, device=device)
