"""The HTTP server, in a thread of its own, on a socket bound beforehand; stops in seconds."""

import contextlib
import socket
import sys
import threading
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from ops.api.http_protocol import BoundedHttp
from schemas.errors import Refused, TocsinError

GRACE = 3
"""Seconds that requests under way have once the server stops."""


class ServerFailed(TocsinError):
    """The server ended before it served."""


def bind(host: str, port: int) -> socket.socket:
    """A listening address; port 0 picks a free one.

    Raises `Refused` when the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        why = (fault.strerror or str(fault)).lower()
        raise Refused(f"listen: {host}:{port}: {why}: choose another with --listen") from fault
    listener.set_inheritable(False)
    return listener


class Server:
    """Serves an application from `start` until `stop`; takes no signals."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        host, port = listener.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            # The default's `websockets` protocol is deprecated by its own library.
            ws="websockets-sansio",
            ws_max_size=1_048_576,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=30,
        )
        self._server = _Quiet(config)
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        """Serve; returns once requests are answered.

        Raises `ServerFailed` when that does not happen.
        """
        self._thread.start()
        while not self._server.serving.wait(0.05):
            if not self._thread.is_alive():
                raise ServerFailed(f"the server on {self.address} ended while starting")
        print(f"Listening on address={self.address}", file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Let requests under way end, close what stays open, and return within 5 s."""
        self._server.should_exit = True
        self._thread.join(GRACE + 2)
        self._listener.close()

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers, and with an event for "it serves"."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
