"""kafka-python's sockets, closed when a connection fails or its client ends.

kafka-python 3.0 leaves some to whoever collects garbage: a warning for each try while a broker is
away, and an error in a test. There is no setting for it.
"""

from typing import Any

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

_connect = KafkaNetSocket.sock_connect
_write = KafkaTCPTransport._write_to_sock
_handshake = KafkaSSLTransport.handshake


async def _connected(self: Any, net: Any, sock: Any, *given: Any, **named: Any) -> Any:
    try:
        return await _connect(self, net, sock, *given, **named)
    except BaseException:  # also when nobody waits for it any more
        sock.close()
        raise


async def _written(self: Any) -> None:
    try:
        await _write(self)
    except BaseException:
        # A transport that is closed while it has something to send closes its socket behind that;
        # a client that ends does not wait for it.
        if self._closed:
            _let_go(self)
        raise


async def _shaken(self: Any) -> None:
    try:
        await _handshake(self)
    except BaseException:
        _let_go(self)
        raise


def _let_go(transport: Any) -> None:
    sock, transport._sock = transport._sock, None
    if sock is not None:
        sock.close()


def install() -> None:
    """For every client of this process."""
    KafkaNetSocket.sock_connect = _connected
    KafkaTCPTransport._write_to_sock = _written
    KafkaSSLTransport.handshake = _shaken
