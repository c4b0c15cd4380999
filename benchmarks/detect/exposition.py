"""A server of metrics as text, for a Prometheus to scrape.

Reads a directory: `KEY.V` is variant V of what target KEY shows at `/m/KEY`; the variants take
turns, so that values move.
"""

import asyncio
import sys
from pathlib import Path


class Target(asyncio.Protocol):
    """Answers GET requests on a kept connection."""

    def __init__(self, bodies: dict[str, list[bytes]], turns: dict[str, int]) -> None:
        self._bodies, self._turns = bodies, turns
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            path = self._received[:end].split(b" ", 2)[1].decode()
            self._received = self._received[end + 4 :]
            key = path.rpartition("/")[2]
            variants = self._bodies.get(key, [b""])
            turn = self._turns[key] = self._turns.get(key, -1) + 1
            body = variants[turn % len(variants)]
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(head.encode() + body)


async def serve(directory: Path, port: int) -> None:
    """Until killed."""
    bodies: dict[str, list[bytes]] = {}
    for file in sorted(directory.glob("*.*")):
        bodies.setdefault(file.stem, []).append(file.read_bytes())
    turns: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Target(bodies, turns), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
