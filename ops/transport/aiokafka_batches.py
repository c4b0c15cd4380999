"""What aiokafka fetches for Faust, under the bounds of `ops.transport.kafka_batches`.

aiokafka expands a batch whatever it comes to, reads headers as UTF-8, and raises at a batch that
it cannot read, again and again; and it hands over all that it has in one piece. Here a record
that is `unreadable` stands for such a batch: the driver reads there by itself, and counts what is
lost.
"""

import inspect
import struct
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiokafka.consumer import consumer, fetcher
from aiokafka.structs import ConsumerRecord

from ops.transport.kafka_batches import Batch, Unreadable
from schemas.errors import Refused

ANSWER: Final = 8 << 20
"""Bytes that a broker answers with at once; of one batch more if that is larger."""
POLL: Final = 2 << 20
"""Bytes, about, that one poll hands over."""
_EACH: Final = 500
"""Bytes of a record beside its value."""
_LENGTH: Final = struct.Struct(">i")
_HEADS: Final = 12
"""Offset and length are not in a batch's length."""
_MAGIC: Final = 16
_poll = threading.local()
_MARK: Final = (("unreadable", b""),)
_NAMES: Final = {
    "PartitionRecords._unpack_records": ("self",),
    "FetchResult.getall": ("self", "max_records"),
    "FetchResult.check_assignment": ("self", "tp"),
    "FetchResult._update_position": ("self",),
    "Fetcher.fetched_records": ("self", "partitions", "timeout", "max_records"),
}
"""What this file replaces or calls, and with what aiokafka 0.14 calls it."""


def unreadable(message: Any) -> bool:
    """Whether it stands for a batch that cannot be read. No other has headers."""
    return bool(message.headers)


class Records:
    """The batches of one answer, as aiokafka goes through them."""

    def __init__(self, bytes_data: bytes | None) -> None:
        self._data = memoryview(bytes_data or b"")
        self._pos = 0

    def size_in_bytes(self) -> int:
        """Of the whole answer."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether there is one more whole batch."""
        return self._end() > 0

    def next_batch(self) -> Batch:
        """Raises `Unreadable`; the next one can be asked for all the same."""
        start, self._pos = self._pos, self._end()
        batch = self._data[start : self._pos]
        if len(batch) < Batch.HEADER_STRUCT.size or batch[_MAGIC] != 2:
            raise Unreadable(0, "no batch of format 2")
        return Batch(batch)

    def _end(self) -> int:
        """Where the next batch ends; 0 where there is none, or the broker cut it off."""
        if len(self._data) - self._pos < _HEADS:
            return 0
        (length,) = _LENGTH.unpack_from(self._data, self._pos + _HEADS - _LENGTH.size)
        end = self._pos + _HEADS + max(length, 0)
        return end if end <= len(self._data) else 0


class _Partition(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        while self._records.has_next():
            try:
                yield from super()._unpack_records()
            except Unreadable as fault:
                first = self.next_fetch_offset
                self.next_fetch_offset = max(fault.after, first + 1)
                yield ConsumerRecord(*self._tp, first, 0, 0, None, None, None, -1, -1, _MARK)


class _Result(fetcher.FetchResult):  # type: ignore[misc]  # aiokafka has no types
    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[Any]:
        """Of all partitions together no more than `POLL`, so that few batches are expanded."""
        found: list[Any] = []
        if _poll.left <= 0:
            return found
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return found
        for record in self._partition_records:
            found.append(record)
            _poll.left -= len(record.value or b"") + len(record.key or b"") + _EACH
            if _poll.left <= 0 or len(found) == max_records:
                self._update_position()
                return found
        self._update_position()
        self._partition_records = None
        return found


class _Fetcher(fetcher.Fetcher):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more | {"fetch_max_bytes": ANSWER})

    async def fetched_records(
        self, partitions: Any, timeout: float = 0, max_records: int | None = None
    ) -> Mapping[Any, list[Any]]:
        # One consumer to a thread; while this waits it has handed over nothing yet.
        _poll.left = POLL
        found: Mapping[Any, list[Any]] = await super().fetched_records(
            partitions, timeout, max_records
        )
        return found


def install() -> None:
    """Let every consumer of this process fetch this way. Raises `Refused` where aiokafka is another
    one than this was written for."""
    if consumer.Fetcher is _Fetcher:
        return
    if moved := [name for name, wanted in _NAMES.items() if _parameters(name) != wanted]:
        raise Refused(
            f"the installed aiokafka is none that Tocsin can guard ({', '.join(moved)} changed): "
            "install the versions of constraints.txt"
        )
    fetcher.MemoryRecords = Records
    fetcher.PartitionRecords = _Partition
    fetcher.FetchResult = _Result
    consumer.Fetcher = _Fetcher


def _parameters(name: str) -> tuple[str, ...] | None:
    found: Any = fetcher
    for each in name.split("."):
        found = getattr(found, each, None)
    try:
        return tuple(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return None
