"""Record batches as kafka-python reads them, with bounds: a batch costs memory that is known.

kafka-python 3.0 expands a batch whatever it comes to, makes an object of each header, and gets
stuck on a batch that it cannot read. Whoever may write to a topic could so stop all who read it.
Headers are skipped here: nothing of Tocsin's is in them.
"""

import zlib
from collections.abc import Callable
from typing import Any, Final

import cramjam
import kafka
from kafka import KafkaConsumer, TopicPartition, codec
from kafka.record import default_records, memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

from schemas.errors import Refused

LARGEST: Final = 64 << 20
"""Bytes that a batch may expand to; producers send batches of 1 MB, before compression."""
_STEP: Final = 64
"""Records taken at once: of 960,000 bytes each, still no more than a batch may expand to."""


class Unreadable(Exception):
    """A batch that nobody can read: a bomb, or bytes that are no records."""

    def __init__(self, after: int, why: str) -> None:
        self.after = after
        super().__init__(why)


class Skipped(Exception):
    """What is in the way of a partition: no record in [`first`, `resumed`) can be read."""

    def __init__(self, where: TopicPartition, first: int, resumed: int, why: str) -> None:
        self.where, self.first, self.resumed, self.why = where, first, resumed, why
        super().__init__(f"{where.topic}/{where.partition}: [{first}, {resumed}): {why}")


class Batch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python has no types
    """A batch of Kafka's format 2. Raises `Unreadable` instead of whatever is wrong inside."""

    _buffer: bytearray
    _pos: int
    _decompressed: bool

    def _maybe_uncompress(self) -> None:
        if self._decompressed:
            return
        if kind := self.compression_type:
            data = memoryview(self._buffer)[self._pos :]
            try:
                self._buffer = _EXPAND[kind](bytes(data))
            except (KeyError, ValueError, OSError, cramjam.DecompressionError, zlib.error) as fault:
                raise Unreadable(self.next_offset, f"cannot be expanded: {fault!r}") from fault
            self._pos = 0
        self._decompressed = True

    def validate_crc(self) -> bool:
        """True. Where a batch ends is believed to it no more once anything in it is wrong."""
        if super().validate_crc():
            return True
        sound = self.last_offset_delta == self.records_count - 1 < len(self._buffer)
        after = self.next_offset if sound else self.base_offset + 1
        raise Unreadable(after, "its checksum is wrong")

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except StopIteration:
            raise
        except Exception as fault:
            raise Unreadable(self.next_offset, f"no records: {fault!r}") from fault

    def _read_msg(self, decode: Callable[[bytearray, int], tuple[int, int]] = decode_varint) -> Any:
        # The same as kafka-python's, without the headers.
        buffer = self._buffer
        length, start = decode(buffer, self._pos)
        _, pos = decode(buffer, start)
        later, pos = decode(buffer, pos)
        further, pos = decode(buffer, pos)
        key, pos = _bytes(buffer, *decode(buffer, pos))
        value, pos = _bytes(buffer, *decode(buffer, pos))
        if not pos <= start + length <= len(buffer):
            raise ValueError(f"a record of {length} bytes does not fit in its batch")
        self._pos = start + length
        appended = self.timestamp_type == self.LOG_APPEND_TIME
        made = (
            default_records.ControlRecord
            if self.is_control_batch
            else default_records.DefaultRecord
        )
        return made(
            length,
            self.base_offset + further,
            self.max_timestamp if appended else self.first_timestamp + later,
            self.timestamp_type,
            key,
            value,
            [],
        )


def polled(consumer: KafkaConsumer, timeout: float, limit: int) -> dict[TopicPartition, list[Any]]:
    """What `poll` gives within `timeout` s, at most `limit` records and not many megabytes.

    Raises `Skipped` in front of a batch that nobody can read; a `seek` to `resumed` goes on.
    """
    try:
        found: dict[TopicPartition, list[Any]] = consumer.poll(
            timeout_ms=max(0, int(timeout * 1000)), max_records=min(limit, _STEP)
        )
    except Unreadable as fault:
        where = _put_aside(consumer)
        if where is None:
            raise
        first = consumer._subscription.assignment[where].position.offset
        raise Skipped(where, first, max(fault.after, first + 1), str(fault)) from fault
    except Exception:
        _put_aside(consumer)
        raise
    return found


def _put_aside(consumer: KafkaConsumer) -> TopicPartition | None:
    """Drop the response that could not be read: the next poll would go round in it for ever."""
    part = consumer._fetcher._next_partition_records
    if part is None:
        return None
    part.drain()
    return part.topic_partition


def _bytes(buffer: bytearray, length: int, pos: int) -> tuple[bytes | None, int]:
    if length < 0:
        return None, pos
    return bytes(buffer[pos : pos + length]), pos + length


def _within(expand: Callable[[bytes, bytearray], int]) -> Callable[[bytes], bytearray]:
    """Grow the room while it is too small, up to `LARGEST`."""

    def expanded(data: bytes) -> bytearray:
        room = min(max(1 << 16, 4 * len(data)), LARGEST)
        while True:
            buffer = bytearray(room)
            try:
                size = expand(data, buffer)
            except cramjam.DecompressionError as fault:
                # Neither the type nor a code says that the room was too small.
                if "whole buffer" not in str(fault):
                    raise
                if room >= LARGEST:
                    raise ValueError(f"more than {LARGEST} bytes") from fault
                room = min(room * 8, LARGEST)
                continue
            del buffer[size:]
            return buffer

    return expanded


def _gzip(data: bytes) -> bytearray:
    stream = zlib.decompressobj(wbits=31)
    expanded = bytearray(stream.decompress(data, LARGEST))
    if stream.unconsumed_tail:
        raise ValueError(f"more than {LARGEST} bytes")
    return expanded


def _snappy(data: bytes) -> bytearray:
    # Java's producers cut a batch into blocks behind a header of their own: 16 bytes, then each
    # block with its length in front.
    if not data.startswith(b"\x82SNAPPY\x00"):
        return _snappy_block(data, LARGEST)
    expanded = bytearray()
    at = 16
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        expanded += _snappy_block(data[at + 4 : at + 4 + size], LARGEST - len(expanded))
        at += 4 + size
    return expanded


def _snappy_block(data: bytes, room: int) -> bytearray:
    if cramjam.snappy.decompress_raw_len(data) > room:
        raise ValueError(f"more than {LARGEST} bytes")
    return bytearray(cramjam.snappy.decompress_raw(data))


_EXPAND: Final[dict[int, Callable[[bytes], bytearray]]] = {
    DefaultRecordBatch.CODEC_GZIP: _gzip,
    DefaultRecordBatch.CODEC_SNAPPY: _snappy,
    DefaultRecordBatch.CODEC_LZ4: _within(cramjam.lz4.decompress_into),
    DefaultRecordBatch.CODEC_ZSTD: _within(cramjam.zstd.decompress_into),
}


def _compressed(data: Any) -> bytes:
    return bytes(cramjam.zstd.compress(bytes(data), 3))


_REPLACED: Final[tuple[tuple[Any, str], ...]] = (
    (memory_records, "DefaultRecordBatch"),
    (default_records, "zstd_encode"),
    (codec, "zstd"),
    (DefaultRecordBatch, "_maybe_uncompress"),
    (DefaultRecordBatch, "_read_msg"),
)


def install() -> None:
    """Let every client of this process read and write batches this way.

    Raises `Refused` with another kafka-python, in which nobody would read our names.
    """
    if missing := [
        f"{owner.__name__}.{name}" for owner, name in _REPLACED if name not in dir(owner)
    ]:
        raise Refused(
            f"kafka-python {kafka.__version__} has no {', '.join(missing)}, without which batches "
            'are read without bounds: install "kafka-python>=3.0.12,<3.1"'
        )
    memory_records.DefaultRecordBatch = Batch
    # zstd without a further library: cramjam is here for Faust already.
    default_records.zstd_encode = _compressed
    codec.zstd = cramjam.zstd
