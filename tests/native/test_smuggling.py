"""Requests that two servers could read in two ways: they are refused, on both ports, or mean one thing to both."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import PATIENCE_SECONDS, answer_on, connect
from tests.native.scripted_cluster import OK, ScriptedCluster, Visit

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NO_CHUNKS = b"0\r\n\r\n"

TWO_FRAMINGS = {
    "CL.TE": LENGTH + CHUNKED,
    "TE.CL": CHUNKED + LENGTH,
    "TE.TE identity": CHUNKED + b"Transfer-Encoding: identity\r\n",
    "TE.TE other": CHUNKED + b"Transfer-Encoding: cow\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, gzip\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "empty encoding": b"Transfer-Encoding:\r\n",
    "space before the colon": b"Transfer-Encoding : chunked\r\n",
    "tab before the colon": b"Transfer-Encoding\t: chunked\r\n",
    "vertical tab": b"Transfer-Encoding:\x0bchunked\r\n",
    "folded": b"X-Other: 1\r\n Transfer-Encoding: chunked\r\n",
    "folded value": b"Transfer-Encoding:\r\n chunked\r\n",
    "quoted": b'Transfer-Encoding: "chunked"\r\n',
    "two lengths": LENGTH + b"Content-Length: 0\r\n",
    "one length twice": LENGTH + LENGTH,
    "list of lengths": b"Content-Length: 5, 5\r\n",
    "plus": b"Content-Length: +5\r\n",
    "minus": b"Content-Length: -1\r\n",
    "hexadecimal": b"Content-Length: 0x5\r\n",
    "underscore": b"Content-Length: 1_0\r\n",
    "exponent": b"Content-Length: 1e1\r\n",
    "no number": b"Content-Length:\r\n",
    "superscript": b"Content-Length: \xb2\r\n",
    "bare line feed": b"X-Other: 1\nTransfer-Encoding: chunked\r\n",
    "bare carriage return": b"X-Other: 1\rTransfer-Encoding: chunked\r\n",
    "null": b"X-Other: 1\0\r\n",
    "no name": b": 1\r\n",
    "no colon": b"X-Other\r\n",
    "name with a space": b"X Other: 1\r\n",
    "name with a bracket": b"X(Other): 1\r\n",
    "two hosts": b"Host: y\r\n",
}
LINES = {
    "no version": b"GET /hidden",
    "version 2": b"GET /hidden HTTP/2.0",
    "version with two digits": b"GET /hidden HTTP/1.10",
    "preface of HTTP/2": b"PRI * HTTP/2.0",
    "two spaces": b"GET  /hidden HTTP/1.1",
    "tab": b"GET\t/hidden\tHTTP/1.1",
    "space in the target": b"GET /a /hidden HTTP/1.1",
    "null in the target": b"GET /hid\0den HTTP/1.1",
    "carriage return in the target": b"GET /hid\rden HTTP/1.1",
    "method with a colon": b"GET: /hidden HTTP/1.1",
    "small letters": b"get /hidden HTTP/1.1",
    "authority without CONNECT": b"GET hidden:80 HTTP/1.1",
}
CHUNKS = {
    "plus": b"+5\r\nhello\r\n",
    "minus": b"-5\r\nhello\r\n",
    "hexadecimal with x": b"0x5\r\nhello\r\n",
    "underscore": b"0_5\r\nhello\r\n",
    "too many bytes": b"4\r\nhello\r\n",
    "no size": b"\r\nhello\r\n",
    "bare line feed behind the size": b"5\nhello\r\n",
    "bare line feed behind the data": b"5\r\nhello\n",
    "line feed in the extension": b"5;a\nb\r\nhello\r\n",
    "line break in a quoted extension": b'5;a="\r\n"\r\nhello\r\n',
    "extension without a name": b"5;;=\r\nhello\r\n",
    "length in the trailer": b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    "host in the trailer": b"5\r\nhello\r\n0\r\nHost: y\r\n\r\n",
}


class Recorder:
    """A cluster that remembers every request it reads, and answers each."""

    def __init__(self, cluster: ScriptedCluster) -> None:
        self.cluster = cluster
        self.seen: list[tuple[bytes, bytes]] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        self.seen = []
        self.cluster.end_all()
        self.cluster.answers(*[self._serve] * 8)

    def _serve(self, visit: Visit) -> None:
        while True:
            request = visit.request()
            if not request[0]:
                return
            with self._lock:
                self.seen.append(request)
            visit.send(OK)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sidecar, Recorder]]:
    with ScriptedCluster() as cluster:
        is_started = cluster.answers_start()
        with Sidecar({"OPENSEARCH_URL": cluster.url}) as sidecar:
            assert is_started.wait(PATIENCE_SECONDS)
            yield sidecar, Recorder(cluster)


@pytest.fixture
def recorder(served: tuple[Sidecar, Recorder]) -> Recorder:
    served[1].begin()
    return served[1]


@pytest.fixture
def sidecar(served: tuple[Sidecar, Recorder]) -> Sidecar:
    return served[0]


def said(url: str, data: bytes) -> list[int]:
    """The statuses of all answers until the server ends the connection."""
    with connect(url) as client:
        client.sendall(data)
        received = b""
        while piece := client.recv(65536):
            received += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def refused_on_both(sidecar: Sidecar, recorder: Recorder, data: bytes) -> None:
    """The first request of the data is refused, and what follows it is never read as another."""
    number = uuid.uuid4().hex
    data = data.replace(b"GET /hidden HTTP/1.1\r\n", b"GET /hidden HTTP/1.1\r\nX-Request-Id: %b\r\n" % number.encode())
    for url in (sidecar.native_url, sidecar.url):
        assert said(url, data) in ([400], [417], [501])
    assert recorder.seen == []
    assert not [line for line in sidecar.log if number in line]


@pytest.mark.parametrize("name", TWO_FRAMINGS)
def test_request_with_two_framings_is_refused(sidecar: Sidecar, recorder: Recorder, name: str) -> None:
    head = b"POST /_search HTTP/1.1\r\nHost: x\r\n" + TWO_FRAMINGS[name] + b"\r\n"
    refused_on_both(sidecar, recorder, head + NO_CHUNKS + HIDDEN)


@pytest.mark.parametrize("name", LINES)
def test_line_that_can_be_read_in_two_ways_is_refused(sidecar: Sidecar, recorder: Recorder, name: str) -> None:
    refused_on_both(sidecar, recorder, LINES[name] + b"\r\nHost: x\r\n\r\n" + HIDDEN)


def test_chunks_of_old_clients_are_refused(sidecar: Sidecar, recorder: Recorder) -> None:
    refused_on_both(sidecar, recorder, b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n" + NO_CHUNKS + HIDDEN)


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("target", [b"/_search", b"/raw"])
def test_broken_chunks_are_refused_and_never_reach_the_cluster_whole(
    sidecar: Sidecar, recorder: Recorder, name: str, target: bytes
) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % target + CHUNKED + b"\r\n"
    assert said(sidecar.native_url, head + CHUNKS[name] + NO_CHUNKS + HIDDEN) == [400]
    assert recorder.seen == []
    in_index = head.replace(target, b"/indexes/an-index/search")
    assert said(sidecar.url, in_index + CHUNKS[name] + NO_CHUNKS + HIDDEN)[1:] == []


def one_request(sidecar: Sidecar, recorder: Recorder, data: bytes) -> tuple[bytes, bytes]:
    """What the cluster reads of data to which there is one answer."""
    with connect(sidecar.native_url) as client:
        client.sendall(data)
        assert answer_on(client).status == 200
    (seen,) = recorder.seen
    return seen


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (LENGTH, HIDDEN),
        (CHUNKED, b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + NO_CHUNKS),
        (CHUNKED, b'%x;a="GET /hidden HTTP/1.1"\r\n%b\r\n' % (len(HIDDEN), HIDDEN) + NO_CHUNKS),
        (CHUNKED, b"%x\r\n%b\r\n0\r\nX-Trailer: GET /hidden HTTP/1.1\r\n\r\n" % (len(HIDDEN), HIDDEN)),
        (CHUNKED + b"Connection: transfer-encoding\r\n", b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + NO_CHUNKS),
        (LENGTH + b"Connection: content-length, host\r\n", HIDDEN),
        (LENGTH + b"Content_Length: 0\r\nTransfer_Encoding: chunked\r\n", HIDDEN),
    ],
)
@pytest.mark.parametrize("target", [b"/_search", b"/raw"])
def test_request_in_a_body_stays_in_it(
    sidecar: Sidecar, recorder: Recorder, headers: bytes, body: bytes, target: bytes
) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n" % target
    seen, sent = one_request(sidecar, recorder, head + headers + b"\r\n" + body)
    assert (seen.split(b"\r\n")[0], sent) == (b"POST %b HTTP/1.1" % target, HIDDEN)
    assert len(re.findall(rb"(?im)^(?:content-length|transfer-encoding|host):", seen)) == 2


@pytest.mark.parametrize(
    "header",
    [
        b"X-Forwarded-For: 127.0.0.1",
        b"X-Proxy-User: admin",
        b"opendistro_security_impersonate_as: admin",
        b"opendistro-security-impersonate-as: admin",
        b"_opendistro_security_user: admin",
        b"SCRIPT_NAME: /_search",
        b"PATH_INFO: /hidden",
        b"REMOTE_USER: admin",
    ],
)
def test_header_that_vouches_for_a_caller_never_reaches_the_cluster(
    sidecar: Sidecar, recorder: Recorder, header: bytes
) -> None:
    seen, _ = one_request(sidecar, recorder, b"GET /_cluster/health HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % header)
    assert seen.startswith(b"GET /_cluster/health HTTP/1.1\r\n")
    assert header.split(b":")[0].lower() not in seen.lower()


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /public", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off"])
def test_client_can_not_say_by_which_path_or_scheme_it_came(sidecar: Sidecar, header: bytes) -> None:
    # A proxy on this machine that lets `/public/` through would be told one path, and the sidecar would serve another.
    statuses: list[Any] = []
    for path in (b"/public/metrics", b"/metrics"):
        statuses += said(sidecar.url, b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\nConnection: close\r\n\r\n" % (path, header))
    assert statuses == [404, 200]
