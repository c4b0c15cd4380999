"""Requests as bytes, and answers read as the standard library's client reads them."""

import http.client
import io
import socket
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from notifiers.channels.http_wire import LONGEST_LINE, MOST_HEADERS, Answer, answer, request

MOST = 64


def read(raw: bytes, *cuts: int) -> Answer:
    """As it comes in pieces, which end at these places."""
    ends = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    pieces = iter([raw[first:last] for first, last in pairwise(ends)])
    return answer(lambda: next(pieces, b""), MOST)


def outcome(raw: bytes, *cuts: int) -> tuple[int, bytes] | None:
    try:
        found = read(raw, *cuts)
    except (http.client.HTTPException, OSError):
        return None
    return found.status, found.body


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
        *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 204 No Content", b"HTTP/1.1 503 \xe9"),
        *(b"HTTP/1.1 99 x", b"HTTP/1.1 1000 x", b"HTTP/1.1 200x", b"HTTP/2 200", b"nonsense", b""),
        *(b"HTTP/1.1 404 Not Found", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 500 "),
    ]
)
HEADERS = st.sampled_from(
    [
        *(b"Content-Length: 3", b"content-length:3 ", b"Content-Length: 70", b"Content-Length: 0"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked", b"Connection: close"),
        *(
            b"X-Y: " + b"z" * 100,
            b"Retry-After: 5",
            b"X:",
            b"X-E: \xe9",
            b"X: a\x01",
            b"X: a\r\n b",
        ),
    ]
)
MALFORMED = st.sampled_from(
    [
        *(b"Content-Length: x", b"Content-Length: -1", b"Content-Length:", b"no colon", b"X : a"),
        *(b"Content-Length: 9" + b"9" * 20, b"Transfer-Encoding: gzip", b": a", b"\x00: a"),
    ]
)
BODIES = st.sampled_from(
    [
        *(b"", b"abc", b"abcdef", b"x" * 200, b"3\r\nabc\r\n0\r\n\r\n"),
        *(b"3;e=1\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"),
        *(b"zz\r\nabc", b"9\r\nab", b"50\r\n" + b"y" * 0x50 + b"\r\n0\r\n\r\n"),
    ]
)
ENDS = st.sampled_from([b"\r\n", b"\n"])
CUTS = st.lists(st.integers(0, 250), max_size=4)


def lengths(headers: list[bytes]) -> int:
    return sum(header.lower().startswith(b"content-length") for header in headers)


@settings(max_examples=500)
@given(LINES, st.lists(HEADERS, max_size=3), BODIES, ENDS, CUTS)
def test_answers_are_what_the_standard_library_takes_them_for(
    line: bytes, headers: list[bytes], body: bytes, end: bytes, cuts: list[int]
) -> None:
    # The library would read chunks behind a head that has no body (RFC 9112, 6.3).
    bare = b"204" in line or b"304" in line
    assume(not bare or b"chunked" not in b" ".join(headers).lower())
    assume(lengths(headers) < 2)
    raw = end.join([line, *headers, b"", b""]) + body
    assert outcome(raw, *cuts) == as_the_library_reads(raw)


@settings(max_examples=300)
@given(st.lists(HEADERS, max_size=2), MALFORMED, st.lists(HEADERS, max_size=2), BODIES, CUTS)
def test_a_malformed_head_still_says_its_status(
    before: list[bytes], bad: bytes, after: list[bytes], body: bytes, cuts: list[int]
) -> None:
    """To take a 200 for a failure would be to tell a receiver again."""
    assume(b"chunked" not in b" ".join([*before, *after]).lower())
    raw = b"\r\n".join([b"HTTP/1.1 200 OK", *before, bad, *after, b"", b""]) + body
    found = outcome(raw, *cuts)
    if found is None:  # a body that is shorter than it is said to be
        assert lengths(before + after)
        assert as_the_library_reads(raw) is None
    else:
        assert found[0] == 200


@settings(max_examples=300)
@given(st.binary(max_size=40), LINES, st.lists(HEADERS, max_size=2), BODIES, CUTS)
def test_pieces_are_what_the_whole_is(
    first: bytes, line: bytes, headers: list[bytes], body: bytes, cuts: list[int]
) -> None:
    raw = b"\r\n".join([line, *headers, first, b"", b""]) + body
    assert outcome(raw, *cuts) == outcome(raw)


def test_a_head_that_breaks_off_still_says_its_status() -> None:
    assert outcome(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y") == (200, b"")
    assert outcome(b"HTTP/1.1 200") == (200, b"")
    assert outcome(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n") == (503, b"")
    assert outcome(b"HTTP/1.1 100 Continue\r\n\r\n") is None
    assert outcome(b"HTTP/1.1 100 Continue\r\n\r\nnonsense") is None


def test_lines_and_headers_are_bounded_wherever_they_stand() -> None:
    endless = [b"x" * 1_000] * (LONGEST_LINE // 1_000 + 1)
    many = b"X: y\r\n" * (MOST_HEADERS + 1) + b"\r\n"
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    for start in (b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX: ", chunks + b"1;", chunks + b"0\r\nX:"):
        with pytest.raises(http.client.LineTooLong):
            answer(iter([start, *endless]).__next__, MOST)
    for raw in (b"HTTP/1.1 200 OK\r\n" + many, chunks + b"0\r\n" + many):
        with pytest.raises(http.client.HTTPException, match="more than"):
            read(raw)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\n\r\nok", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 66\r\n\r\n" + b"x" * 65, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok?", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n", False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
        (b"HTTP/1.1 101 No\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nHTTP/1.1", False),
    ],
)
def test_a_connection_is_used_again_only_where_the_next_answer_begins(
    raw: bytes, kept: bool
) -> None:
    assert read(raw).kept is kept


def test_headers_are_named_in_lower_case_and_of_repeated_ones_the_first_counts() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 0\r\n\r\n"
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
