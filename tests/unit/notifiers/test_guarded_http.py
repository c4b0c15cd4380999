"""Connections to receivers: kept, checked, and read no further than they should be."""

import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPException, IncompleteRead
from threading import Event

import pytest
import trustme

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.guarded_http import Connections, Target
from tests.unit.notifiers.servers import serving

WITHIN = 30.0
"""Seconds for what is no test of deadlines: a busy machine may stop a thread for some."""


def kept(head: bytes, body: bytes = b"", times: int = 3) -> Callable[[socket.socket, Event], None]:
    """A server that answers so, again and again on one connection, after its first request."""

    def behave(peer: socket.socket, stopped: Event) -> None:
        peer.sendall(head + body)
        for _ in range(times - 1):
            if not peer.recv(65_536):
                return
            peer.sendall(head + body)
        stopped.wait(5)

    return behave


@pytest.fixture
def connections() -> Iterator[Connections]:
    found = Connections(LOOPBACK)
    yield found
    found.close()


def exchange(connections: Connections, port: int, path: str = "/") -> tuple[int, bytes]:
    target = Target(False, "127.0.0.1", port, path)
    answer = connections.exchange("POST", target, {}, b"x", WITHIN, 100)
    return answer.status, answer.body


def test_a_connection_is_kept(connections: Connections) -> None:
    with serving(kept(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok")) as server:
        assert [exchange(connections, server.port) for _ in range(3)] == [(200, b"ok")] * 3
        assert len(server.requests) == 1


def test_a_connection_that_the_server_closed_is_not_used_again(connections: Connections) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with serving(lambda peer, _: peer.sendall(head)) as server:
        for number in (1, 2):
            assert exchange(connections, server.port) == (200, b"")
            assert len(server.requests) == number
            [(_, idle)] = connections._idle
            while idle.is_quiet():
                pass


def test_what_nobody_asked_for_is_no_answer(connections: Connections) -> None:
    """Bytes after an answer must not become the answer to the next request."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with serving(kept(head, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 1)) as server:
        assert exchange(connections, server.port)[0] == 200
        assert exchange(connections, server.port)[0] == 200
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            (200, b"a"),
        ),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            (204, b""),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            (200, b"abc"),
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", (200, b"to the end")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"y" * 200, (200, b"y" * 100)),
        (b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", (301, b"")),
    ],
)
def test_answers_are_read_as_http_has_them(
    connections: Connections, answer: bytes, want: tuple[int, bytes]
) -> None:
    with serving(lambda peer, _: peer.sendall(answer)) as server:
        assert exchange(connections, server.port) == want


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", IncompleteRead),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", IncompleteRead),
        (b"SSH-2.0-OpenSSH\r\n", HTTPException),
        (b"", ConnectionResetError),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n", HTTPException),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, HTTPException),
    ],
)
def test_what_is_no_whole_answer_is_none(
    connections: Connections, answer: bytes, fault: type[Exception]
) -> None:
    with serving(lambda peer, _: peer.sendall(answer)) as server, pytest.raises(fault):
        exchange(connections, server.port)


def test_the_deadline_holds_for_who_never_pauses_over_tls() -> None:
    authority = trustme.CA()
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(secure)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def behave(plain: socket.socket, stopped: Event) -> None:
        with secure.wrap_socket(plain, server_side=True) as peer:
            peer.recv(4_096)
            while not stopped.is_set():
                peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000)

    found = Connections(LOOPBACK, context=lambda: trusting)
    with serving(behave, speaks_first=True) as server, pytest.raises(TimeoutError):
        found.exchange("POST", Target(True, "127.0.0.1", server.port, "/"), {}, b"x", 0.5, 100)
    found.close()


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX-Injected: 1", "/\x00"])
def test_a_path_cannot_end_the_request(connections: Connections, path: str) -> None:
    with (
        serving(kept(b"HTTP/1.1 200 OK\r\n\r\n")) as server,
        pytest.raises((ValueError, HTTPException)),
    ):
        exchange(connections, server.port, path)


def test_an_address_is_checked_and_the_checked_one_is_called() -> None:
    answers = iter([["10.0.0.1"], ["127.0.0.1"]])
    with serving(kept(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        connections = Connections(LOOPBACK, lambda _host, _port: next(answers))
        target = Target(False, "hook.example", server.port, "/")
        with pytest.raises(DeliveryFailed) as caught:
            connections.exchange("POST", target, {}, b"", WITHIN, 100)
        assert caught.value.reason is Failure.ADDRESS_REFUSED
        assert connections.exchange("POST", target, {}, b"", WITHIN, 100).status == 200
        connections.close()
    assert f"Host: hook.example:{server.port}".encode() in server.requests[0]
