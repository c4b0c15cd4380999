"""Requests as bytes, and answers read as the standard library's client reads them."""

import http.client
import io
import socket
from typing import cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from notifiers.channels.http_wire import Answer, answer, request

MOST = 64


def read(raw: bytes) -> Answer:
    return answer(io.BytesIO(raw), MOST)


class Said:
    """All that the standard library's client asks of a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def as_the_library_reads(raw: bytes) -> tuple[int, bytes] | None:
    response = http.client.HTTPResponse(cast(socket.socket, Said(raw)), method="POST")
    try:
        response.begin()
        body = response.read(MOST + 1)
    except (http.client.HTTPException, OSError):
        return None
    if not response.isclosed() and response.length and len(body) <= MOST:
        return None
    return response.status, body[:MOST]


LINES = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 204 No Content", b"HTTP/1.1  503 \xe9"),
        *(b"HTTP/1.1 99 x", b"HTTP/1.1 1000 x", b"HTTP/1.1 200x", b"HTTP/2 200", b"nonsense", b""),
        *(b"HTTP/1.1 404 Not Found", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 200\tOK"),
    ]
)
HEADERS = st.sampled_from(
    [
        *(b"Content-Length: 3", b"content-length:3 ", b"Content-Length: 70", b"Content-Length: 0"),
        *(b"Content-Length: x", b"Content-Length: -1", b"Transfer-Encoding: chunked"),
        *(b"Transfer-Encoding: Chunked", b"Transfer-Encoding: gzip", b"Connection: close"),
        *(b"X-Y: " + b"z" * 100, b"Retry-After: 5", b"X:", b"X-E: \xe9"),
    ]
)
BODIES = st.sampled_from(
    [
        *(b"", b"abc", b"abcdef", b"x" * 200, b"3\r\nabc\r\n0\r\n\r\n", b"3;e=1\r\nabc\r\n0\r\n"),
        *(b"3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n", b"zz\r\nabc", b"9\r\nab"),
        b"50\r\n" + b"y" * 0x50 + b"\r\n0\r\n\r\n",
    ]
)
ENDS = st.sampled_from([b"\r\n", b"\n"])


@settings(max_examples=500)
@given(LINES, st.lists(HEADERS, max_size=3), BODIES, ENDS)
def test_answers_are_what_the_standard_library_takes_them_for(
    line: bytes, headers: list[bytes], body: bytes, end: bytes
) -> None:
    # The library would read chunks behind a head that has no body (RFC 9112, 6.3).
    assume(
        (b"204" not in line and b"304" not in line) or b"chunked" not in b" ".join(headers).lower()
    )
    raw = end.join([line, *headers, b"", b""]) + body
    try:
        found = read(raw)
        ours = (found.status, found.body)
    except (http.client.HTTPException, OSError):
        ours = None
    assert ours == as_the_library_reads(raw)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\n\r\nok", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n" + b"x" * 65, False),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_where_the_next_answer_begins(
    raw: bytes, kept: bool
) -> None:
    assert read(raw).kept is kept


def test_headers_are_named_in_lower_case_and_of_repeated_ones_the_first_counts() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nno colon\r\nContent-Length: 0\r\n\r\n"
    assert read(raw).headers == {"x-a": "1", "content-length": "0"}


def test_a_request_is_written_with_its_length() -> None:
    written = request("POST", "h:81", "/p?q=1", {"X-A": "b", "Empty": ""}, "é".encode())
    head = b"POST /p?q=1 HTTP/1.1\r\nHost: h:81\r\nX-A: b\r\nEmpty: \r\nContent-Length: 2\r\n\r\n"
    assert written == head + "é".encode()
    assert b"Content-Length: 0\r\n" in request("PUT", "h", "/", {}, b"")
    assert b"Content-Length" not in request("GET", "h", "/", {}, b"")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        *(("/a b", {}), ("/a\r\nX: 1", {}), ("/\x7f", {}), ("/é", {}), ("", {})),
        *(("/", {"X": "1\r\nY: 2"}), ("/", {"X\r\nY": "1"}), ("/", {"X Y": "1"})),
        *(("/", {"X": "\x00"}), ("/", {"": "1"}), ("/", {"X": "€"}), ("/", {"X:": "1"})),
    ],
)
def test_nothing_is_smuggled_into_a_head(path: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot stand in a request"):
        request("POST", "h", path, headers, b"")
