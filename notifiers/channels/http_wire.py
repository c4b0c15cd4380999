"""HTTP/1.1 as bytes: a request written, an answer read (RFC 9112).

Answers are taken apart by llhttp, Node's parser; ours are the limits, and what an answer is worth
that breaks off. The exceptions are those of the standard library's client, which itself takes an
answer's head for a mail's: that costs more than all the rest of an exchange.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong

from httptools import (
    HttpParserError,
    HttpParserInvalidStatusError,
    HttpParserUpgrade,
    HttpResponseParser,
)

LONGEST_LINE, MOST_HEADERS = 65_536, 100
_LINE = re.compile(r"[!#-'*+\-.0-9A-Z^-z|~]+: [\t -~\x80-\xff]*")
_PATH = re.compile(r"[!-~]+")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_SWITCHING, _FINAL = 101, 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: as much of its body as was read; names of headers in lower case.

    `kept` says whether the connection can be used again.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    kept: bool = False


def request(method: str, host: str, path: str, headers: Mapping[str, str], content: bytes) -> bytes:
    """Head and body. Raises ValueError for what cannot stand in a head."""
    if not _PATH.fullmatch(path):
        raise ValueError("a path that cannot stand in a request")
    lines = [f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if content or method in _WITH_BODY:
        lines.append(f"Content-Length: {len(content)}")
    for line in lines:
        if not _LINE.fullmatch(line):
            raise ValueError("a header that cannot stand in a request")
    head = "\r\n".join((f"{method} {path} HTTP/1.1", *lines, "", ""))
    return head.encode("latin-1") + content


def answer(receive: Callable[[], bytes], most_read: int) -> Answer:
    """The final answer; of its body at most `most_read` bytes.

    `receive` gives what there is, and nothing at the connection's end. Raises
    ConnectionResetError where there is no answer, HTTPException for what is none, and OSError.
    """
    reading = _Reading(most_read)
    try:
        while not reading.done:
            if data := receive():
                reading.feed(data)
            else:
                reading.end()
        return reading.answer()
    finally:
        reading.close()


class _Reading:
    """One answer; llhttp calls `on_...` as it comes upon the parts."""

    def __init__(self, most_read: int) -> None:
        self.done = False
        self._most_read = most_read
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._status, self._kept = 0, False
        self._count, self._read, self._quiet = 0, 0, 0
        self._parser = HttpResponseParser(self)
        # To refuse what a receiver says with its 200 would be to tell it again; and nothing of it
        # goes on to anybody who might take it otherwise.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )

    def feed(self, data: bytes) -> None:
        """This came."""
        self._quiet += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as fault:
            self._broken(fault)
        if self._count > MOST_HEADERS:
            raise HTTPException(f"more than {MOST_HEADERS} headers")
        if self._quiet > LONGEST_LINE and not self.done:
            raise LineTooLong("line")
        self.done |= self._read >= self._most_read

    def end(self) -> None:
        """Nothing more comes."""
        if not self._status:
            self._cut(ConnectionResetError("closed without an answer"))
        # A length behind which nothing came is passed over, as is a head that breaks off.
        short = bool(self._body) and "content-length" in self._headers
        if (coding := self._headers.get("transfer-encoding")) is not None:
            short = coding.lower().endswith("chunked")
        if short:
            raise IncompleteRead(b"".join(self._body))
        self.done = True

    def answer(self) -> Answer:
        """What was read."""
        body = b"".join(self._body)[: self._most_read]
        return Answer(self._status, self._headers, body, self._kept)

    def close(self) -> None:
        """Let go of the parser: they hold one another, and would wait for the collector."""
        del self._parser

    def on_message_begin(self) -> None:
        if self.done:
            raise HTTPException("something behind the answer")
        self._headers, self._count, self._quiet = {}, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of several of one name the first counts."""
        self._count += 1
        self._quiet = 0
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._status = status if status >= _FINAL or status == _SWITCHING else 0

    def on_body(self, part: bytes) -> None:
        self._body.append(part)
        self._read += len(part)
        self._quiet = 0

    def on_message_complete(self) -> None:
        if self._status:
            self.done = True
            self._kept = self._status != _SWITCHING and self._parser.should_keep_alive()

    def _broken(self, fault: Exception) -> None:
        """It cannot be read any further."""
        if self.done or self._read >= self._most_read:
            self.done, self._kept = True, False  # what comes behind it belongs to nobody
        elif self._status:
            raise IncompleteRead(b"".join(self._body))
        elif isinstance(fault, HttpParserInvalidStatusError):
            raise BadStatusLine("no status")
        else:
            self._cut(BadStatusLine("no answer of HTTP"))

    def _cut(self, fault: Exception) -> None:
        """The head breaks off: what its status says counts, where that was to be read."""
        status = self._parser.get_status_code()
        if status < _FINAL:
            raise fault
        self._status, self.done = status, True
