"""An httpx transport that opens sockets only to allowed addresses and keeps a total deadline.

The name is resolved here, each address is checked, and the socket is opened to the checked
address itself: a name that answers differently the second time gains nothing. The host of the
request still names the server for TLS and for the Host header. Environment variables that name
proxies are not read.
"""

import socket
import ssl
from collections.abc import Callable, Iterable
from threading import Thread, local
from time import monotonic

import httpcore
import httpx

from notifiers.channels.address import Network, is_allowed

Resolve = Callable[[str, int], list[str]]
_CHUNK = 16_384


class AddressRefused(Exception):
    """The name leads only to addresses that may not be connected to."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline(local):
    """When the request of this thread must be over; one connection serves one thread at a time."""

    at: float = 0.0

    def start(self, seconds: float) -> None:
        """Begin a request that may take so long in all."""
        self.at = monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Seconds for the next thing to do, at most `timeout`.

        Raises httpcore's time-out when nothing is left.
        """
        left = self.at - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline is over")
        return left if timeout is None else min(left, timeout)


class GuardedTransport(httpx.HTTPTransport):
    """The transport; `deadline.start(seconds)` before each request, in the same thread.

    `context` says whom TLS trusts; without one it is certifi's list of authorities.
    """

    def __init__(
        self,
        allow: Iterable[Network],
        resolver: Resolve = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(trust_env=False)
        self.deadline = Deadline()
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context or httpx.create_ssl_context(trust_env=False),
            max_connections=None,
            max_keepalive_connections=8,
            keepalive_expiry=30.0,
            network_backend=_Backend(tuple(allow), resolver, self.deadline),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, allow: tuple[Network, ...], resolver: Resolve, deadline: Deadline) -> None:
        self._allow, self._resolve, self._deadline = allow, resolver, deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._lookup(host, port, timeout)
        allowed = [address for address in addresses if is_allowed(address, self._allow)]
        if not allowed:
            raise AddressRefused
        fault: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in allowed:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as found:
                fault = found
        assert fault is not None
        raise fault

    def _lookup(self, host: str, port: int, timeout: float | None) -> list[str]:
        """Resolve in a thread, for a resolver that does not answer knows no time-out."""
        answer: list[list[str]] = []

        def ask() -> None:
            try:
                answer.append(self._resolve(host, port))
            except (OSError, UnicodeError):
                answer.append([])

        thread = Thread(target=ask, daemon=True, name="resolver")
        thread.start()
        thread.join(self._deadline.left(timeout))
        if not answer:
            raise httpcore.ConnectTimeout("the name was not resolved in time")
        if not answer[0]:
            raise httpcore.ConnectError("the name was not resolved")
        return answer[0]


class _Stream(httpcore.NetworkStream):
    """A stream whose every read and write ends by the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK):
            self._inner.write(buffer[start : start + _CHUNK], self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
