"""Kept HTTP connections to allowed addresses only, each exchange within a total deadline.

The name is resolved here, each address is checked, and the socket is opened to the checked
address itself: a name that answers differently the second time gains nothing. The host of the
request still names the server for TLS and for the Host header. Environment variables that name
proxies are not read, redirects are not followed. The standard library's client speaks HTTP here:
it costs a third of the CPU of httpx.
"""

import http.client
import io
import select
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from notifiers.channels.address import Network
from notifiers.channels.resolution import Resolve, allowed_addresses, resolve

KEPT, KEPT_FOR = 8, 30.0
"""How many idle connections are kept, and for how long (s)."""
_CHUNK = 16_384
_SWITCHING = 101


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; `path` with its query. All of it ASCII."""

    secure: bool
    host: str
    port: int
    path: str


class Connections:
    """Connections to any target. May be used by several threads.

    `context` says whom TLS trusts, `server_name` what it is to be called, where that is not the
    host; `context` may be None as long as no target is secure.
    """

    def __init__(
        self,
        allow: Iterable[Network],
        resolver: Resolve = resolve,
        context: ssl.SSLContext | None = None,
        server_name: str = "",
    ) -> None:
        self._allow, self._resolve = tuple(allow), resolver
        self._context, self._server_name = context, server_name
        self._lock, self._most = Lock(), KEPT
        self._idle: list[tuple[float, _Connection]] = []
        """Since when (monotonic, s) it has been idle; the longest first."""

    def exchange(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        content: bytes,
        seconds: float,
        most_read: int,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and the first bytes of the body of one request's answer.

        Raises DeliveryFailed where there is no allowed address, TimeoutError after `seconds` in
        all, OSError, HTTPException, or ValueError for what cannot stand in a request.
        """
        ends = monotonic() + seconds
        connection = self._taken(target) or self._opened(target, ends)
        connection.stream.ends = ends
        kept = False
        try:
            connection.request(method, target.path, content or None, headers)
            response = connection.getresponse()
            body = response.read(most_read + 1)
            whole = response.isclosed()
            if not whole and response.length and len(body) <= most_read:
                raise http.client.IncompleteRead(b"")
            kept = whole and not response.will_close
        finally:
            if kept:
                self._keep(connection)
            else:
                connection.end()
        return response.status, response.getheaders(), body[:most_read]

    def close(self) -> None:
        """Close idle connections; from now on none is kept."""
        with self._lock:
            idle, self._idle, self._most = self._idle, [], 0
        for _, connection in idle:
            connection.end()

    def _taken(self, target: Target) -> "_Connection | None":
        """One that is idle, and that the server has not closed."""
        oldest, over, found = monotonic() - KEPT_FOR, [], None
        place = (target.secure, target.host, target.port)
        with self._lock:
            while self._idle and self._idle[0][0] < oldest:
                over.append(self._idle.pop(0)[1])
            for index in reversed(range(len(self._idle))):
                connection = self._idle[index][1]
                if connection.place == place:
                    del self._idle[index]
                    if connection.stream.is_quiet():
                        found = connection
                        break
                    over.append(connection)
        for connection in over:
            connection.end()
        return found

    def _keep(self, connection: "_Connection") -> None:
        with self._lock:
            self._idle.append((monotonic(), connection))
            over = self._idle.pop(0)[1] if len(self._idle) > self._most else None
        if over is not None:
            over.end()

    def _opened(self, target: Target, ends: float) -> "_Connection":
        left = _left(ends)
        addresses = allowed_addresses(target.host, target.port, left, self._allow, self._resolve)
        fault: OSError | None = None
        for address in addresses:
            try:
                opened = socket.create_connection((address, target.port), _left(ends))
                break
            except OSError as found:
                fault = found
        else:
            assert fault is not None
            raise fault
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.secure:
                assert self._context is not None
                opened.settimeout(_left(ends))
                name = self._server_name or target.host
                opened = self._context.wrap_socket(opened, server_hostname=name)
        except BaseException:
            opened.close()
            raise
        return _Connection(target, _Stream(opened, ends))


class _Response(http.client.HTTPResponse):
    """The answer, after whatever a server says before it (early hints)."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != _SWITCHING:
            self.headers = None  # type: ignore[assignment]  # as before its first line
            super().begin()


class _Connection(http.client.HTTPConnection):
    response_class = _Response

    def __init__(self, target: Target, stream: "_Stream") -> None:
        super().__init__(target.host, target.port)
        self.place = (target.secure, target.host, target.port)
        self.default_port = 443 if target.secure else 80
        self.auto_open = 0
        self.stream = stream
        self.sock = stream  # all that is called of a socket

    def end(self) -> None:
        """Close it."""
        self.close()
        self.stream.end()


class _Stream:
    """A socket as the standard library's client uses one; all of it ends at `ends`."""

    def __init__(self, inner: socket.socket, ends: float) -> None:
        self.ends = ends
        self._inner = inner
        self._unsent: list[bytes] = []
        self._reader = _Reader(_Incoming(self))
        self._asked = False

    def sendall(self, data: bytes) -> None:
        """Sent once the answer is asked for: head and body together."""
        self._unsent.append(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Send, and read the answer."""
        data, self._asked = b"".join(self._unsent), True
        self._unsent.clear()
        try:
            for start in range(0, len(data), _CHUNK):
                self._inner.settimeout(_left(self.ends))
                self._inner.sendall(data[start : start + _CHUNK])
        except (BrokenPipeError, ConnectionResetError):
            # Who refuses a request may answer before it has read it all.
            pass
        return self._reader

    def receive(self, buffer: Any) -> int | None:
        """Read what there is; None while no answer is asked for."""
        if not self._asked:
            return None
        self._inner.settimeout(_left(self.ends))
        return self._inner.recv_into(buffer)

    def is_quiet(self) -> bool:
        """Whether it has neither ended nor said anything that nobody asked for."""
        self._asked = False
        poll = select.poll()
        poll.register(self._inner, select.POLLIN)
        return not poll.poll(0) and not self._reader.peek()

    def close(self) -> None:
        """Nothing: the client lets go of a socket before the last answer on it is read."""

    def end(self) -> None:
        """Close the socket."""
        self._inner.close()


class _Incoming(io.RawIOBase):
    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return self._stream.receive(buffer)


class _Reader(io.BufferedReader):
    """Outlives an answer, so that what came with it and does not belong to it is noticed."""

    def close(self) -> None:
        """Nothing: the next answer is read with it."""


def _left(ends: float) -> float:
    """Seconds until then. Raises TimeoutError when nothing is left."""
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
