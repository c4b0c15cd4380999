"""Real HTTP servers on loopback that behave well or badly, one connection a thread."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

Behave = Callable[[socket.socket, Event], None]
Respond = Callable[[bytes], bytes]
"""A whole answer to a whole request."""


@dataclass
class Server:
    """What came in, and where."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=secret-canary"


def answer(status: str, headers: str = "", body: bytes = b"") -> Behave:
    """A server that answers so and closes."""

    def behave(peer: socket.socket, stopped: Event) -> None:
        peer.sendall(response(status, body, headers))

    return behave


def response(status: str, body: bytes = b"", headers: str = "") -> bytes:
    """An answer as it stands on the wire."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return f"{head}{headers}\r\n".encode() + body


def hang(peer: socket.socket, stopped: Event) -> None:
    """Never answers."""
    stopped.wait(30)


def drip(peer: socket.socket, stopped: Event) -> None:
    """Answers one byte now and then, for ever."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not stopped.wait(0.05):
        peer.sendall(b"y")


def flood(peer: socket.socket, stopped: Event) -> None:
    """Answers 10 GB."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    block = b"x" * 1_048_576
    for _ in range(10_000):
        peer.sendall(block)


def hang_up(peer: socket.socket, stopped: Event) -> None:
    """Closes without an answer."""


@contextmanager
def serving(
    behave: Behave, respond: Respond | None = None, *, speaks_first: bool = False
) -> Iterator[Server]:
    """A server while the block runs; with `respond` it reads what it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    threads: list[Thread] = []

    def one(peer: socket.socket) -> None:
        with peer:
            peer.settimeout(10)
            try:
                if speaks_first:
                    behave(peer, server.stopped)
                elif request := _request(peer):
                    server.requests.append(request)
                    if respond is None:
                        behave(peer, server.stopped)
                    else:
                        peer.sendall(respond(request))
            except OSError:
                pass  # the client is gone, as it should be

    def accept() -> None:
        while not server.stopped.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            if server.stopped.is_set():
                peer.close()
                return
            threads.append(Thread(target=one, args=(peer,), daemon=True))
            threads[-1].start()

    acceptor = Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.stopped.set()
        # Closing a listener does not wake its accept; a last caller does.
        socket.create_connection(("127.0.0.1", server.port)).close()
        acceptor.join(5)
        listener.close()
        for thread in threads:
            thread.join(5)


def _request(peer: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = peer.recv(65_536)
        if not part:
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = (
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    length = next(lengths, 0)
    while len(body) < length:
        body += peer.recv(65_536)
    return head + b"\r\n\r\n" + body
