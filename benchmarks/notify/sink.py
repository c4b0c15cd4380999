"""A receiver of webhooks in a process of its own; notes when each call came and what it held."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_COUNT, _TAKE, _END = "count", "take", "end"


@dataclass(frozen=True, slots=True)
class Call:
    """When it was here whole (s, monotonic), and the instances of its alerts."""

    at: float
    instances: frozenset[str]


class Sink:
    """Asks the process."""

    def __init__(self, pipe: Connection, port: int) -> None:
        self._pipe, self.port = pipe, port

    def count(self) -> int:
        """Calls since the last `take`."""
        self._pipe.send(_COUNT)
        return int(self._pipe.recv())

    def take(self) -> list[Call]:
        """The calls since the last `take`."""
        self._pipe.send(_TAKE)
        return [
            Call(at, frozenset(one["labels"]["instance"] for one in json.loads(body)["alerts"]))
            for at, body in self._pipe.recv()
        ]

    def wait(self, calls: int, seconds: float) -> None:
        """Until so many have come. Raises RuntimeError."""
        ends = time.monotonic() + seconds
        while (found := self.count()) < calls:
            if time.monotonic() > ends:
                raise RuntimeError(f"{found} webhook calls of {calls} came in {seconds:g} s")
            time.sleep(0.05)


@contextmanager
def sink() -> Iterator[Sink]:
    """Listens until the end of the block."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Sink(ours, int(ours.recv()))
    finally:
        ours.send(_END)
        process.join(5)


class _Receiver(asyncio.Protocol):
    def __init__(self, calls: list[tuple[float, bytes]]) -> None:
        self._calls, self._read = calls, bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (head := self._read.find(b"\r\n\r\n")) >= 0:
            lines = bytes(self._read[:head]).lower().split(b"\r\n")
            length = next(int(one[15:]) for one in lines if one.startswith(b"content-length:"))
            if len(self._read) < head + 4 + length:
                return
            body = bytes(self._read[head + 4 : head + 4 + length])
            del self._read[: head + 4 + length]
            self._calls.append((time.monotonic(), body))
            self._transport.write(_ANSWER)


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    calls: list[tuple[float, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Receiver(calls), "127.0.0.1", 0, backlog=4096)
    pipe.send(server.sockets[0].getsockname()[1])
    ended = asyncio.Event()

    def asked() -> None:
        match pipe.recv():
            case "count":
                pipe.send(len(calls))
            case "take":
                pipe.send(list(calls))
                calls.clear()
            case _:
                ended.set()

    loop.add_reader(pipe.fileno(), asked)
    await ended.wait()
