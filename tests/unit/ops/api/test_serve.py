"""The server on real sockets of the loopback interface."""

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from ops.api.app import build
from ops.api.serve import Server, bind
from schemas.errors import Refused
from tests.support.fake_services import FakeServices
from tests.unit.ops.api.asking import OPEN, TOKEN


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(build(FakeServices(), OPEN), bind("127.0.0.1", 0))
    server.start()
    yield server
    server.stop()


@contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    host, _, port = server.address.rpartition(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=5)) as connection:
        yield connection


def test_it_answers_and_does_not_say_what_it_is_made_of(server: Server) -> None:
    with connected(server) as connection:
        connection.request("GET", "/liveness")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.getheader("server") is None
        answer.read()


def test_a_head_without_an_end_is_not_read_for_ever(server: Server) -> None:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        peer.sendall(b"GET /liveness HTTP/1.1\r\nHost: localhost\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            for number in range(1_000):
                sent += peer.send(b"X-%d: " % number + b"y" * 10_000 + b"\r\n")
            peer.recv(1)
            raise AssertionError(f"{sent} bytes of a head were taken")


def test_a_head_of_usual_length_in_many_pieces_is_read(server: Server) -> None:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        for piece in (
            b"GET /live",
            b"ness HTTP/1.1\r\nHost: localhost\r\n",
            b"X: " + b"y" * 30_000,
            b"\r\n\r\n",
        ):
            peer.sendall(piece)
        assert peer.recv(12) == b"HTTP/1.1 200"


def test_trailers_without_an_end_are_not_read_for_ever(server: Server) -> None:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        head = b"POST /api/v2/alerts HTTP/1.1\r\nHost: localhost\r\n"
        peer.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            for number in range(1_000):
                sent += peer.send(b"X-%d: " % number + b"y" * 10_000 + b"\r\n")
            raise AssertionError(f"{sent} bytes of trailers were taken")


def test_the_line_is_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(build(FakeServices(), OPEN), bind("127.0.0.1", 0))
    server.start()
    server.stop()
    assert capsys.readouterr().err == f"Listening on address={server.address}\n"


def test_an_address_in_use_is_refused_with_what_to_do(server: Server) -> None:
    host, _, port = server.address.rpartition(":")
    with pytest.raises(Refused, match="--listen"):
        bind(host, int(port))
    with pytest.raises(Refused, match="--listen"):
        bind("192.0.2.1", 0)


def test_it_stops_in_time_with_connections_open(server: Server) -> None:
    with connected(server) as idle, connected(server) as half:
        idle.request("GET", "/liveness")
        idle.getresponse().read()
        half.putrequest("POST", "/api/tocsin/v1/publish")
        half.putheader("authorization", f"Bearer {TOKEN}")
        half.putheader("content-length", "1000")
        half.endheaders(b"half")
        began = time.monotonic()
        server.stop()
        assert not server.alive
        assert time.monotonic() - began < 5


def test_a_body_too_large_is_refused_while_it_comes(server: Server) -> None:
    with connected(server) as connection:
        connection.putrequest("POST", "/api/tocsin/v1/publish")
        connection.putheader("authorization", f"Bearer {TOKEN}")
        connection.putheader("content-length", str(17 * 1024 * 1024))
        connection.endheaders(bytes(1024))
        answer = connection.getresponse()
        assert answer.status == 413
        answer.read()


def test_the_live_socket_is_shut_to_other_sites(server: Server) -> None:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(
            b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: " + server.address.encode() + b"\r\n"
            b"Origin: http://evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_who_is_too_slow_for_the_end_is_told_so_and_no_fault_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(build(FakeServices(), OPEN), bind("127.0.0.1", 0))
    server.start()
    with connected(server) as slow:
        slow.putrequest("POST", "/api/v2/alerts")
        slow.putheader("content-type", "application/json")
        slow.putheader("content-length", "100")
        slow.endheaders(b"[")
        with connected(server) as other:
            # Answered, so the one before has been begun.
            other.request("GET", "/liveness")
            other.getresponse().read()
        server.stop()
        assert slow.getresponse().status == 503
    assert "Traceback" not in caplog.text
