"""Which partition a key belongs to."""

from zlib import crc32


def partition_of(key: str, partitions: int) -> int:
    """The same key always meets the same partition of a topic."""
    return crc32(key.encode()) % partitions
