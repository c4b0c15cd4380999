"""ClickHouse's HTTP interface: requests in, one write out, for clients that know no chdb."""

import hashlib
import itertools
import os
import socket
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from ops.history import chdb_faults as faults
from ops.history.chdb_bodies import packed, read_body, unpacked
from ops.history.chdb_engine import Answer, Engine
from ops.history.chdb_requests import Tokens, credentials, form_fields, statement_of

_QUERIES_AT_ONCE = 16
_QUEUE_SECONDS = 10.0
_IDLE_SECONDS = 120.0

_CONTENT_TYPE = {
    "JSON": "application/json",
    "JSONCompact": "application/json",
    "JSONEachRow": "application/x-ndjson",
    "CSV": "text/csv; charset=UTF-8",
    "CSVWithNames": "text/csv; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "TSVWithNames": "text/tab-separated-values; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
}


class HistoryHttp(ThreadingHTTPServer):
    """The listener: a thread for each connection, a bound on statements at once."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], engine: Engine, tokens: Tokens) -> None:
        self.engine = engine
        self.tokens = tokens
        self.room = threading.BoundedSemaphore(_QUERIES_AT_ONCE)
        self._numbers = itertools.count(1)
        self._seed = os.urandom(16)
        super().__init__(address, _Requests)

    def query_id(self) -> str:
        """A new id that no other run of this server gave."""
        digest = hashlib.sha256(self._seed + next(self._numbers).to_bytes(8, "big")).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    def drained(self) -> None:
        """Return once no statement runs, and let none start any more."""
        for _ in range(_QUERIES_AT_ONCE):
            self.room.acquire()

    def server_close(self) -> None:
        """Close the listener without waiting for idle clients' threads."""
        self.socket.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class _Requests(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    server_version = "tocsin-history"
    sys_version = ""
    timeout = _IDLE_SECONDS
    server: HistoryHttp

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def log_message(self, format: str, *args: object) -> None:
        """Statements hold users' data: nothing is logged."""

    def do_GET(self) -> None:
        self._serve(readonly=2)  # as a server: GET never changes anything

    def do_POST(self) -> None:
        self._serve(readonly=0)

    def _serve(self, readonly: int) -> None:
        url = urlsplit(self.path)
        asked = dict(parse_qsl(url.query, keep_blank_values=True))
        query_id = asked.get("query_id") or self.server.query_id()
        try:
            if url.path == "/ping" or (url.path == "/" and not url.query and readonly):
                self._send(200, b"Ok.\n", {"Content-Type": "text/html; charset=UTF-8"})
                return
            reader = self._authenticated(asked)
            if url.path != "/":
                raise faults.named(0, "NOT_FOUND", f"There is no handle {url.path}", 404)
            body = unpacked(read_body(self.rfile, self.headers), self.headers["Content-Encoding"])
            answer = self._run(asked, body, readonly, reader)
        except faults.EngineFault as fault:
            self._refuse(fault, query_id)
            return
        self._answer(answer, asked, query_id)

    def _authenticated(self, asked: Mapping[str, str]) -> bool:
        user, token = credentials(self.headers, asked)
        reader = self.server.tokens.reader(user, token)
        if reader is None:
            self.close_connection = True  # what the body holds is never read
            status = 403 if token else 401
            raise faults.named(
                faults.AUTHENTICATION_FAILED,
                "AUTHENTICATION_FAILED",
                f"{user or 'default'}: Authentication failed: password is incorrect, or there is no"
                " user with such name",
                status,
            )
        return reader

    def _run(self, asked: dict[str, str], body: bytes, readonly: int, reader: bool) -> Answer:
        if (self.headers["Content-Type"] or "").startswith("multipart/form-data"):
            asked, body = asked | form_fields(self.headers["Content-Type"], body), b""
        statement = statement_of(asked, self.headers, body, readonly, reader)
        if not self.server.room.acquire(timeout=_QUEUE_SECONDS):
            raise faults.named(
                faults.TOO_MANY_QUERIES, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many queries"
            )
        try:
            return self.server.engine.run(statement)
        finally:
            self.server.room.release()

    def _answer(self, answer: Answer, asked: Mapping[str, str], query_id: str) -> None:
        headers = {
            "Content-Type": _CONTENT_TYPE.get(answer.form, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Server-Display-Name": "tocsin",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Format": answer.form,
            "X-ClickHouse-Timezone": self.server.engine.timezone,
            "X-ClickHouse-Summary": answer.summary,
        }
        body = answer.body
        if asked.get("enable_http_compression") == "1":
            coding, body = packed(body, self.headers["Accept-Encoding"] or "")
            headers |= {"Content-Encoding": coding} if coding else {}
        self._send(200, body, headers)

    def _refuse(self, fault: faults.EngineFault, query_id: str) -> None:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Exception-Code": str(fault.code),
        }
        if fault.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="history"'
        if fault.status == 413:
            self.close_connection = True  # the rest of the body is still on its way
        version = self.server.engine.version
        self._send(fault.status, f"{fault} (version {version})\n".encode(), headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Head and body in one write: two small ones cost a client 40 ms of delayed ACK."""
        head = {
            "Connection": "close" if self.close_connection else "keep-alive",
            **headers,
            "Content-Length": str(len(body)),
        }
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {_one_line(text)}" for name, text in head.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)


def _one_line(text: str) -> str:
    """A caller's text in a header: no line ends, or it could write headers of its own."""
    return text.replace("\r", " ").replace("\n", " ")
