import ipaddress
import socket
import threading
import time

import pytest

from sidecar.embedding.media.addresses import Resolver, is_public
from sidecar.embedding.media.unreadable import Unreadable


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.0.9",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ],
)
def test_is_public_is_false_for_addresses_of_no_public_machine(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "100.128.0.1",
        "172.32.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ],
)
def test_is_public_is_true_for_addresses_of_the_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "::1", "localhost"])
def test_resolve_refuses_this_machine_however_it_is_written(host: str) -> None:
    with pytest.raises(Unreadable, match="SIDECAR_MEDIA_ALLOW_PRIVATE"):
        Resolver(allow_private=False).resolve(host, time.monotonic() + 5)


def test_resolve_refuses_a_host_of_which_one_address_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: entries)
    with pytest.raises(Unreadable, match="not public") as refused:
        Resolver(allow_private=False).resolve("mixed.example", time.monotonic() + 5)
    assert "10.0.0.1" not in str(refused.value)
    assert Resolver(allow_private=True).resolve("mixed.example", time.monotonic() + 5) == ["1.1.1.1", "10.0.0.1"]


def test_resolve_names_a_host_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreadable, match=r"'no\.example' was not found"):
        Resolver(allow_private=False).resolve("no.example", time.monotonic() + 5)


def test_resolve_gives_up_a_lookup_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: released.wait(20) and [])
    began = time.monotonic()
    with pytest.raises(Unreadable, match="in time"):
        Resolver(allow_private=False).resolve("slow.example", began + 0.1)
    assert time.monotonic() - began < 5
    released.set()
