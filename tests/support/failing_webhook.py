"""A receiver of webhooks that fails by script: each path has spans in which it misbehaves."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Fault(StrEnum):
    """What a receiver does instead of taking a message."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503 with Retry-After"
    RATE_LIMITED = "429 with Retry-After"
    BAD_REQUEST = "400"
    NOT_FOUND = "404"
    SILENCE = "no answer in time"
    HANG_UP = "connection closed without an answer"


ANSWERS = {
    Fault.SERVER_ERROR: (500, None),
    Fault.UNAVAILABLE: (503, "1"),
    Fault.RATE_LIMITED: (429, "1"),
    Fault.BAD_REQUEST: (400, None),
    Fault.NOT_FOUND: (404, None),
}
"""Status and `Retry-After`."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when, in seconds since the script's start, and how."""

    begins: float
    ends: float
    fault: Fault


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its end; `at` in seconds since the start, `fault` None if taken."""

    at: float
    receiver: str
    key: str
    body: Mapping[str, Any]
    fault: Fault | None


class _Server(ThreadingHTTPServer):
    request_queue_size = 1_024


class FailingWebhook:
    """Listens from `with` to its end; `/NAME` is a receiver, with its own `outages`.

    Before `begin` there is no outage. A silent receiver answers nothing for `silence` seconds.
    """

    def __init__(self, outages: Mapping[str, Sequence[Outage]], silence: float = 1.5) -> None:
        self._outages, self._silence = outages, silence
        self._begun = float("inf")
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._requests: list[Request] = []
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
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def begin(self, at: float) -> None:
        """The start of the script, on the monotonic clock."""
        self._begun = at

    def url(self, receiver: str) -> str:
        """Where this receiver takes messages."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{receiver}"

    @property
    def requests(self) -> Sequence[Request]:
        """Everything so far, in order of arrival."""
        with self._lock:
            return tuple(self._requests)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        at, receiver = time.monotonic() - self._begun, request.path[1:]
        fault = next(
            (one.fault for one in self._outages.get(receiver, ()) if one.begins <= at < one.ends),
            None,
        )
        key = request.headers.get("Idempotency-Key", "")
        with self._lock:
            self._requests.append(Request(at, receiver, key, body, fault))
        if fault is Fault.HANG_UP:
            return
        if fault is Fault.SILENCE:
            self._ended.wait(self._silence)
            return
        status, retry_after = (200, None) if fault is None else ANSWERS[fault]
        try:
            request.send_response(status)
            if retry_after:
                request.send_header("Retry-After", retry_after)
            request.send_header("Content-Length", "0")
            request.end_headers()
        except OSError:
            pass  # the sender is gone
