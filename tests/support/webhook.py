"""A receiver of webhooks on loopback, which remembers every request and can misbehave."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Page:
    """One request, read to its end; `at` is the monotonic clock's."""

    key: str
    attempt: int
    body: Mapping[str, Any]
    raw: bytes
    at: float

    @property
    def status(self) -> str:
        """`firing` or `resolved`."""
        return str(self.body["status"])

    def labels(self, name: str) -> set[str]:
        """The values of a label among its alerts."""
        return {alert["labels"].get(name, "") for alert in self.body["alerts"]}


class _Server(ThreadingHTTPServer):
    request_queue_size = 1_024
    """Connections that wait to be taken; beyond it the kernel lets each try again after 1 s."""


class Webhook:
    """Listens from `with` to its end.

    Answers 200, or 500 for the next `fail_next` requests, 400 for the next `refuse_next`; while
    `hang` is set an answer waits until it is cleared. A request counts from when it was read,
    whatever it was answered.
    """

    def __init__(self) -> None:
        self.fail_next = 0
        self.refuse_next = 0
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._pages: list[Page] = []
        receiver = self

        class Answer(BaseHTTPRequestHandler):
            timeout = 30

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self._server = _Server(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @property
    def pages(self) -> Sequence[Page]:
        """Everything so far, in order of arrival."""
        with self._lock:
            return tuple(self._pages)

    def hang(self, still: bool = True) -> None:
        """Leave requests without an answer, or answer again."""
        if still:
            self._open.clear()
        else:
            self._open.set()

    def told(self, label: str, status: str) -> set[str]:
        """The values of a label of alerts that arrived in this state."""
        return {
            alert["labels"].get(label, "")
            for page in self.pages
            for alert in page.body["alerts"]
            if alert["status"] == status
        }

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", 0))
        raw = request.rfile.read(length)
        if len(raw) < length:
            return  # the sender was killed while it wrote
        with self._lock:
            headers = request.headers
            self._pages.append(
                Page(
                    headers.get("Idempotency-Key", ""),
                    int(headers.get("X-Tocsin-Attempt", 0)),
                    json.loads(raw),
                    raw,
                    time.monotonic(),
                )
            )
            failing = self.fail_next > 0
            self.fail_next -= failing
            refusing = self.refuse_next > 0
            self.refuse_next -= refusing
        self._open.wait(25)
        try:
            request.send_response(500 if failing else 400 if refusing else 200)
            request.send_header("Content-Length", "0")
            request.end_headers()
        except OSError:
            pass  # the sender is gone
