"""Which network addresses a file may be fetched from, and how a host's addresses are found in time."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from sidecar.embedding.media.unreadable import Unreadable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# From IANA's registries of special-purpose addresses. ipaddress.is_global is not used, because what it says differs
# between Python's patch versions and takes multicast for global.
_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's service for its own machines, though the number is a public one
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = tuple(ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_CARRIES_V4 = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # an IPv4 address, mapped
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
"""Networks that stand for IPv4 ones, and how many bits follow the IPv4 address."""

MAX_LOOKUPS = 64
"""Names that are looked up at once: a lookup can't be broken off, so that one may outlive who asked for it."""


def is_public(address: IPAddress) -> bool:
    """True for an address of the public internet: no machine of ours, nor of its own or a cloud's network."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    for network, shift in _CARRIES_V4:
        if address in network:
            return is_public(ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


class Resolver:
    """Finds the addresses of hosts; safe to use from any thread."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._lookups = threading.BoundedSemaphore(MAX_LOOKUPS)

    def resolve(self, host: str, deadline: float) -> list[str]:
        """The host's addresses, in the resolver's order, each of which may be connected to.

        ``deadline`` is in `time.monotonic` seconds.
        Raises: Unreadable where there is none, or where any of them is not public, unless private ones are allowed.
        """
        found = self._look_up(host, deadline)
        addresses = list(dict.fromkeys(found))
        if not self._allow_private and not all(is_public(ipaddress.ip_address(one)) for one in addresses):
            # The address is not told: it would show a stranger what is in our network.
            raise Unreadable(
                f"host {host!r} has an address that is not public. Name a public host, or let the operator set "
                "SIDECAR_MEDIA_ALLOW_PRIVATE=true"
            )
        return addresses

    def _look_up(self, host: str, deadline: float) -> list[str]:
        answer: Future[list[str]] = Future()
        if not self._lookups.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Unreadable(f"too many host names are being looked up to reach {host!r} in time. Try again later")
        threading.Thread(target=self._ask, args=(host, answer), name="resolve", daemon=True).start()
        try:
            return answer.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            raise Unreadable(f"the name of host {host!r} was not found in time. Check the name, or try again") from None
        except (OSError, UnicodeError) as error:
            raise Unreadable(f"host {host!r} was not found. Check its name") from error

    def _ask(self, host: str, answer: Future[list[str]]) -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer.set_result([str(entry[4][0]).partition("%")[0] for entry in found])
        except Exception as error:
            answer.set_exception(error)
        finally:
            self._lookups.release()
