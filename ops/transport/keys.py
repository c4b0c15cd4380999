"""Which partition a key belongs to."""

from zlib import crc32

from schemas.errors import Refused


def encoded(key: str) -> bytes:
    """The key as it is stored.

    Raises `Refused` for a lone surrogate, which no store takes.
    """
    try:
        return key.encode()
    except UnicodeEncodeError as fault:
        raise Refused(f"key {key!r} is not text that UTF-8 can hold") from fault


def partition_of(key: str, partitions: int) -> int:
    """The same key always meets the same partition of a topic."""
    return crc32(encoded(key)) % partitions
