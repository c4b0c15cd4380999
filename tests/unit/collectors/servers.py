"""HTTP servers on loopback that behave as badly as they are told."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Behaviour = Callable[[socket.socket, bytes], None]


@contextmanager
def server(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that reads a request's head, then behaves; its address as HOST:PORT."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    open_now: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wrapped = context.wrap_socket(connection, server_side=True) if context else connection
            open_now.append(wrapped)
            with wrapped:
                head = b""
                while b"\r\n\r\n" not in head:
                    received = wrapped.recv(65_536)
                    if not received:
                        return
                    head += received
                # What is left unread when a socket closes makes the kernel reset it.
                head, _, body = head.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                while length and len(body) < int(length[1]):
                    body += wrapped.recv(65_536)
                behave(wrapped, head + b"\r\n\r\n")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_now.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in threads:
            thread.join(5)


def answers(body: bytes = b"hello", status: str = "200 OK", *headers: str) -> Behaviour:
    """One answer, whole."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda connection, _: connection.sendall("\r\n".join(lines).encode() + body)


def hangs(connection: socket.socket, head: bytes) -> None:
    """Nothing, until the other side gives up."""
    connection.settimeout(20)
    connection.recv(1)


def drips(piece: bytes = b"x", start: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Behaviour:
    """One byte, and another, for ever."""

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        pause = threading.Event()
        while not pause.wait(0.05):
            connection.sendall(piece)

    return behave


def endless(connection: socket.socket, head: bytes) -> None:
    """Ten gigabytes, at once."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        connection.sendall(b"x" * 1_000_000)


def says(text: bytes) -> Behaviour:
    """These bytes, then the end."""
    return lambda connection, _: connection.sendall(text)


def certificate(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate for localhost and 127.0.0.1; the server's context, the file."""
    import subprocess

    key, cert = directory / "key.pem", directory / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        [*command.split(), "-subj", "/CN=t", "-addext", names, "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
