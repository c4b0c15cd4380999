"""Request and response bodies: chunked, compressed, and never larger than there is room for."""

from email.message import Message
from io import BufferedIOBase
from typing import Any

from ops.history import chdb_faults as faults

LARGEST_BODY = 256 << 20
_WORTH_PACKING = 1024
_CODECS = ("zstd", "lz4", "gzip")


def _too_large() -> faults.EngineFault:
    return faults.named(faults.TOO_LARGE, "QUERY_IS_TOO_LARGE", "The body is above 256 MiB", 413)


def _malformed(what: str) -> faults.EngineFault:
    return faults.named(36, "BAD_ARGUMENTS", what, 400)


def read_body(stream: BufferedIOBase, headers: Message) -> bytes:
    """The whole body of a request, by its length or in chunks; both at once are refused."""
    length, coding = headers["Content-Length"], (headers["Transfer-Encoding"] or "").lower()
    if coding and (length or coding != "chunked"):
        raise _malformed("Content-Length and Transfer-Encoding contradict one another")
    if coding:
        return _read_chunks(stream)
    if not length:
        return b""
    if not length.isdecimal():
        raise _malformed("Content-Length is not a number")
    return _read_exactly(stream, _fitting(int(length)))


def _fitting(size: int) -> int:
    if size > LARGEST_BODY:
        raise _too_large()
    return size


def _read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise _malformed("The body ended early")
    return data


def _read_chunks(stream: BufferedIOBase) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while True:
        line = stream.readline(1024).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise _malformed("A chunk without a size") from None
        if size < 0:
            raise _malformed("A chunk of negative size")
        total = _fitting(total + size)
        if size == 0:
            while stream.readline(8192) not in {b"\r\n", b"\n", b""}:
                pass
            return b"".join(chunks)
        chunks.append(_read_exactly(stream, size))
        stream.readline(8)


def unpacked(body: bytes, coding: str | None, largest: int = LARGEST_BODY) -> bytes:
    """The body as it was before the client compressed it, if that is not too large."""
    if not coding or coding == "identity" or not body:
        return body
    if coding not in _CODECS:
        raise _malformed(f"Content-Encoding {coding} is not one of {', '.join(_CODECS)}")
    pyarrow = _pyarrow()
    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(body), coding) as stream:
            plain: bytes = stream.read(largest + 1)
    except (OSError, pyarrow.ArrowException) as error:
        raise _malformed(f"The body is not {coding}: {error}") from error
    if len(plain) > largest:
        raise _too_large()
    return plain


def packed(body: bytes, accepted: str) -> tuple[str | None, bytes]:
    """The body in the first coding of the client's list that we know; small ones stay plain."""
    wanted = [item.split(";")[0].strip().lower() for item in accepted.split(",")]
    coding = next((name for name in wanted if name in _CODECS), None)
    if coding is None or len(body) < _WORTH_PACKING:
        return None, body
    pyarrow = _pyarrow()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, coding) as stream:
        stream.write(body)
    return coding, sink.getvalue().to_pybytes()


def _pyarrow() -> Any:  # pyarrow has no types
    """Loaded with the first compressed body: a tenth of a second that start-up does not pay."""
    import pyarrow

    return pyarrow
