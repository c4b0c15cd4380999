"""Connections that fail, and clients that end, leave nothing behind."""

import gc
import socket
import ssl
from collections.abc import Iterator

import pytest
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import free_port
from ops.transport import kafka_sockets
from ops.transport.kafka_clients import Clients
from schemas.errors import LogAway


@pytest.fixture
def ours() -> Iterator[socket.socket]:
    """Our end of a connection whose other end says nothing."""
    kafka_sockets.install()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours


def test_a_try_to_connect_that_fails_closes_its_sockets() -> None:
    """One that stays open is an unraisable warning, and so an error here."""
    settings = KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{free_port()}"})
    with pytest.raises(LogAway):
        Clients(settings, "test").producer(bootstrap_timeout_ms=500)
    gc.collect()


def test_a_client_that_ends_with_something_to_send_closes_its_socket(ours: socket.socket) -> None:
    loop = NetworkSelector()
    transport = KafkaTCPTransport(loop, ours)
    transport.write(b"a last request")
    transport.close()
    loop.close()
    assert ours.fileno() == -1


def test_a_client_that_ends_in_a_handshake_closes_its_socket(ours: socket.socket) -> None:
    loop = NetworkSelector()
    transport = KafkaSSLTransport(loop, ours, "a.example", ssl_context=ssl.create_default_context())
    inner = transport._sock
    loop.call_soon(transport.handshake())
    loop.poll(timeout_ms=0)
    assert inner.fileno() != -1
    loop.close()
    assert inner.fileno() == -1


def test_a_handshake_that_fails_closes_its_socket() -> None:
    kafka_sockets.install()
    loop = NetworkSelector()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        transport = KafkaSSLTransport(
            loop, ours, "a.example", ssl_context=ssl.create_default_context()
        )
        inner = transport._sock
        theirs.sendall(b"no TLS at all, but more than a record's head")
        failed = loop.call_soon_with_future(transport.handshake())
        loop.poll(timeout_ms=5_000, future=failed)
        assert isinstance(failed.exception, ssl.SSLError)
        assert inner.fileno() == -1
    loop.close()
