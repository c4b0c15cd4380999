"""kafka-python's sockets, closed when a connection fails.

kafka-python 3.0 leaves them to whoever collects garbage: a warning for each try while a broker is
away, and an error in a test. There is no setting for it.
"""

from typing import Any

from kafka.net.inet import KafkaNetSocket

_connect = KafkaNetSocket.sock_connect


async def _connected(self: Any, net: Any, sock: Any, *given: Any, **named: Any) -> Any:
    try:
        return await _connect(self, net, sock, *given, **named)
    except BaseException:  # also when nobody waits for it any more
        sock.close()
        raise


def install() -> None:
    """For every client of this process."""
    KafkaNetSocket.sock_connect = _connected
