"""Kept HTTP connections to allowed addresses only, each exchange within a total deadline.

The name is resolved here, each address is checked, and the socket is opened to the checked
address itself: a name that answers differently the second time gains nothing. The host of the
request still names the server for TLS and for the Host header. Environment variables that name
proxies are not read, redirects are not followed.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from notifiers.channels.address import Network
from notifiers.channels.http_wire import Answer, answer, request
from notifiers.channels.resolution import Resolve, allowed_addresses, resolve

KEPT, KEPT_FOR = 8, 30.0
"""How many idle connections are kept, and for how long (s)."""
READ = 16_384
"""Bytes asked for at a time: what TLS puts into a record."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; `path` with its query. All of it ASCII."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def named(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def place(self) -> tuple[bool, str, int]:
        """What a connection is kept for."""
        return self.secure, self.host, self.port


class Connections:
    """Connections to any target. May be used by several threads.

    `context` says whom TLS trusts, and is asked once there is a secure target, for authorities take
    time and memory; `server_name` is what the server is to be called, where that is not the host.
    """

    def __init__(
        self,
        allow: Iterable[Network],
        resolver: Resolve = resolve,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
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
    ) -> Answer:
        """The answer to one request, with the first bytes of its body.

        Raises DeliveryFailed where there is no allowed address, TimeoutError after `seconds` in
        all, OSError, HTTPException, or ValueError for what cannot stand in a request.
        """
        ends = monotonic() + seconds
        data = request(method, target.named, target.path, headers, content)
        connection = self._taken(target) or self._opened(target, ends)
        kept = False
        try:
            answered = connection.ask(data, ends, most_read)
            kept = answered.kept
        finally:
            if kept:
                self._keep(connection)
            else:
                connection.end()
        return answered

    def close(self) -> None:
        """Close idle connections; from now on none is kept."""
        with self._lock:
            idle, self._idle, self._most = self._idle, [], 0
        for _, connection in idle:
            connection.end()

    def _taken(self, target: Target) -> "_Connection | None":
        """One that is idle, and that the server has not closed."""
        oldest, over, found = monotonic() - KEPT_FOR, [], None
        place = target.place
        with self._lock:
            while self._idle and self._idle[0][0] < oldest:
                over.append(self._idle.pop(0)[1])
            for index in reversed(range(len(self._idle))):
                connection = self._idle[index][1]
                if connection.place == place:
                    del self._idle[index]
                    if connection.is_quiet():
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
        context = self._context() if target.secure else None
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
            if context is not None:
                opened.settimeout(_left(ends))
                name = self._server_name or target.host
                opened = context.wrap_socket(opened, server_hostname=name)
            opened.setblocking(False)
        except BaseException:
            opened.close()
            raise
        return _Connection(target.place, opened)


class _Connection:
    """An open socket; all of an exchange on it ends at `_ends`.

    It does not block: a socket with a time-out asks the kernel twice for each of its calls.
    """

    def __init__(self, place: tuple[bool, str, int], inner: socket.socket) -> None:
        self.place = place
        self._inner = inner
        self._ends = 0.0
        self._readable = select.poll()
        self._readable.register(inner, select.POLLIN)

    def ask(self, data: bytes, ends: float, most_read: int) -> Answer:
        """Send a request, and read the answer to it."""
        self._ends = ends
        self._send(memoryview(data))
        return answer(self._receive, most_read)

    def is_quiet(self) -> bool:
        """Whether it has neither ended nor said anything that nobody asked for."""
        unread = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return not unread and not self._readable.poll(0)

    def end(self) -> None:
        """Close the socket."""
        self._inner.close()

    def _receive(self) -> bytes:
        """What there is, once there is something; nothing where it has ended."""
        if not self.place[0]:
            self._wait(select.POLLIN)  # else what TLS has read already would be waited for
        while True:
            # Who never pauses is never waited for: with TLS only here is looked at the time.
            _left(self._ends)
            try:
                return self._inner.recv(READ)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)

    def _send(self, data: memoryview) -> None:
        while data:
            try:
                data = data[self._inner.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except (BrokenPipeError, ConnectionResetError):
                return  # who refuses a request may answer before it has read it all

    def _wait(self, event: int) -> None:
        poll = self._readable
        if event != select.POLLIN:
            poll = select.poll()
            poll.register(self._inner, event)
        if not poll.poll(1_000 * _left(self._ends)):
            raise TimeoutError


def _left(ends: float) -> float:
    """Seconds until then. Raises TimeoutError when nothing is left."""
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
