"""HTTP/1.1 as bytes: a request written, an answer read (RFC 9112).

The standard library's client takes an answer's head for a mail's, which costs more than all the
rest of an exchange; its exceptions are used here.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong

LONGEST_LINE, MOST_HEADERS = 65_536, 100
_LINE = re.compile(r"[!#-'*+\-.0-9A-Z^-z|~]+: [\t -~\x80-\xff]*")
_PATH = re.compile(r"[!-~]+")
_STATUS = re.compile(rb"HTTP/1\.(\d)\s+([1-9]\d\d)(?:\s.*)?", re.DOTALL)
_SIZE = re.compile(rb"0*[0-9A-Fa-f]{1,15}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_SWITCHING, _NO_CONTENT, _NOT_MODIFIED = 101, 204, 304


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


def answer(reader: io.BufferedIOBase, most_read: int) -> Answer:
    """The final answer; of its body at most `most_read` bytes.

    Raises ConnectionResetError where there is none, HTTPException for what is none, and OSError.
    """
    while True:
        minor, status = _status(reader)
        headers = _headers(reader)
        if status >= 200 or status == _SWITCHING:
            break
    body, whole = _body(reader, status, headers, most_read)
    stays = minor > 0 and "close" not in headers.get("connection", "").lower()
    return Answer(status, headers, body, whole and stays and status != _SWITCHING)


def _line(reader: io.BufferedIOBase, what: str) -> bytes:
    line = reader.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise LineTooLong(what)
    return line


def _status(reader: io.BufferedIOBase) -> tuple[int, int]:
    line = _line(reader, "status line")
    if not line:
        raise ConnectionResetError("closed without an answer")
    found = _STATUS.fullmatch(line)
    if found is None:
        raise BadStatusLine(line[:100].decode("latin-1"))
    return int(found[1]), int(found[2])


def _headers(reader: io.BufferedIOBase) -> dict[str, str]:
    """Of several lines of one name the first counts."""
    found: dict[str, str] = {}
    for _ in range(MOST_HEADERS + 1):
        line = _line(reader, "header line").decode("latin-1")
        if not line.strip("\r\n"):
            return found
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    raise HTTPException(f"more than {MOST_HEADERS} headers")


def _body(
    reader: io.BufferedIOBase, status: int, headers: Mapping[str, str], most: int
) -> tuple[bytes, bool]:
    """The body, and whether the connection stands behind it."""
    if status in (_SWITCHING, _NO_CONTENT, _NOT_MODIFIED):
        return b"", True
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunks(reader, most)
    # A length that is none is passed over, as is one behind which nothing came: to refuse what a
    # receiver says with its 200 would be to tell it again.
    length = headers.get("content-length", "")
    if not _LENGTH.fullmatch(length):
        return reader.read(most), False
    wanted = min(int(length), most)
    body = reader.read(wanted)
    if body and len(body) < wanted:
        raise IncompleteRead(body)
    return body, len(body) == int(length)


def _chunks(reader: io.BufferedIOBase, most: int) -> tuple[bytes, bool]:
    body = b""
    while True:
        size = _line(reader, "chunk size").partition(b";")[0].strip()
        if not _SIZE.fullmatch(size):
            raise IncompleteRead(body)
        length = int(size, 16)
        if length == 0:
            _headers(reader)  # trailers
            return body, True
        body += _exactly(reader, min(length, most - len(body)))
        if len(body) >= most:
            return body, False
        if _line(reader, "end of a chunk").strip(b"\r\n"):
            raise IncompleteRead(body)


def _exactly(reader: io.BufferedIOBase, count: int) -> bytes:
    body = reader.read(count)
    if len(body) < count:
        raise IncompleteRead(body)
    return body
