"""A worker's probes over HTTP, on the standard library alone: an agent has no FastAPI.

The bodies are those of `ops/api/health.py`. They hold no secrets, and everybody may ask; what
they say beyond a word stays on this machine.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from ops.config_types import Address
from ops.figures import Figures
from ops.health import Health, overall, stage_json
from ops.services import StageStatus
from schemas.errors import Refused

log = logging.getLogger(__name__)

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"
Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class Probe:
    """Answers from `start` to `stop`. Raises `Refused` when the address cannot be had."""

    def __init__(
        self, listen: Address, status: Callable[[], Sequence[StageStatus]], figures: Figures
    ) -> None:
        self._status = status
        self._figures = figures
        self._whole = listen.loopback
        try:
            self._server = _Server(listen, self._answer)
        except OSError as fault:
            why = fault.strerror or fault
            raise Refused(f"worker.listen: {listen}: {why}: choose another port, or 0") from fault
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="probe", daemon=True
        )

    @property
    def address(self) -> Address:
        """Where it listens; the port is the one that it got."""
        host, port = self._server.server_address[:2]
        return Address(str(host), int(port))

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; answers under way are left."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, path: str) -> Answer:
        match path.partition("?")[0]:
            case "/health":
                stages = self._status()
                word = overall(stages)
                told = [stage_json(stage, whole=self._whole) for stage in stages]
                code = 503 if word in {Health.UNHEALTHY, Health.UNKNOWN} else 200
                return _json(code, {"status": word, "stages": told})
            case "/readiness" | "/-/ready":
                waiting = [s.name for s in self._status() if s.vital and not s.ready]
                status = "waiting" if waiting else "ready"
                return _json(503 if waiting else 200, {"status": status, "waiting": waiting})
            case "/liveness" | "/-/healthy":
                return _json(200, {"status": "alive"})
            case "/metrics":
                return 200, _TEXT, self._figures.render().encode()
        return _json(404, {"error": "no such page"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listen: Address, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.address_family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        super().__init__((listen.host, listen.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        log.debug("probe not answered", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0
    """Seconds that a client may take to ask, and to read."""

    def do_GET(self) -> None:
        try:
            code, kind, body = self.server.answer(self.path)
        except Exception:
            log.exception("probe failed")
            code, kind, body = _json(500, {"error": "see the log"})
        self.send_response_only(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every few seconds; they are no events."""


def _json(code: int, body: object) -> Answer:
    return code, _JSON, json.dumps(body, separators=(",", ":")).encode()
