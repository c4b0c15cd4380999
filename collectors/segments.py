"""The form of a spool's files: records that can be told from damage, wherever it is. Pure.

A record is a mark, the payload's length, the record's number, a CRC of those and the payload, and
the payload. A reader that meets anything else looks for the next mark whose record is whole.
"""

import struct
import zlib
from dataclasses import dataclass

MARK = b"\xf1Ts\x01"
_HEAD = struct.Struct("<4sIQI")
MAX_PAYLOAD = 16 * 1024 * 1024
HEAD_SIZE = _HEAD.size
_CURSOR = struct.Struct("<4sQI")
CURSOR_SLOT = 32


@dataclass(frozen=True, slots=True)
class SpoolRecord:
    """One payload; `number` counts up over the spool's whole life."""

    number: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """What a part of a file holds. `end` is where the last whole record ends."""

    records: tuple[SpoolRecord, ...]
    end: int
    garbage: bool


def record_bytes(number: int, payload: bytes) -> bytes:
    """A record as it stands in a file."""
    return _HEAD.pack(MARK, len(payload), number, _check(number, payload)) + payload


def parse(content: bytes, above: int) -> Piece:
    """The whole records with numbers above `above`, in order; what lies between is garbage."""
    records: list[SpoolRecord] = []
    at = end = 0
    garbage = False
    while at < len(content):
        record = _record_at(content, at)
        if record is None:
            garbage = True
            found = content.find(MARK, at + 1)
            at = found if found >= 0 else len(content)
            continue
        at += _HEAD.size + len(record.payload)
        end = at
        if record.number > above:
            above = record.number
            records.append(record)
    return Piece(tuple(records), end, garbage)


def cursor_bytes(number: int) -> bytes:
    """One slot of the cursor file: everything up to `number` has been acknowledged."""
    slot = _CURSOR.pack(MARK, number, zlib.crc32(number.to_bytes(8, "little")))
    return slot.ljust(CURSOR_SLOT, b"\x00")


def parse_cursor(content: bytes) -> int | None:
    """The highest number that a whole slot holds; None when no slot is whole."""
    numbers = []
    for at in range(0, len(content) - _CURSOR.size + 1, CURSOR_SLOT):
        mark, number, check = _CURSOR.unpack_from(content, at)
        if mark == MARK and check == zlib.crc32(number.to_bytes(8, "little")):
            numbers.append(number)
    return max(numbers, default=None)


def _record_at(content: bytes, at: int) -> SpoolRecord | None:
    if len(content) - at < _HEAD.size:
        return None
    mark, length, number, check = _HEAD.unpack_from(content, at)
    start = at + _HEAD.size
    if mark != MARK or length > min(MAX_PAYLOAD, len(content) - start):
        return None
    payload = content[start : start + length]
    return SpoolRecord(number, payload) if check == _check(number, payload) else None


def _check(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<QI", number, len(payload))))
