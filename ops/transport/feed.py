"""Records of one partition as a consumer group hands them over, kept until they are committed."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence

from schemas.stage import Record

FULL_RECORDS = 20_000
FULL_BYTES = 64 << 20


class Feed:
    """Filled by the group's consumer, read by the driver's thread.

    `committed` is told the offset below which nothing is needed any more. While the group deals
    its partitions out anew it fetches nothing: then the feed is `adrift`, and its driver, whom
    nobody has fenced, reads on by itself.
    """

    def __init__(self, committed: Callable[[int], None] = lambda _next: None) -> None:
        self.grown = threading.Event()
        self._told = committed
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._bytes = 0
        self._last = -1
        self._next = -1
        self._end = 0
        self._doubts: list[int] = []
        self.adrift = False
        self._ashore = False

    def put(self, records: Sequence[Record]) -> None:
        """Add what came; what is known already (after a rebalance) is passed over."""
        passed = False
        with self._lock:
            self.adrift = self.adrift and not self._ashore
            for record in records:
                known, self._last = self._last, max(self._last, record.offset)
                if record.offset <= known or record.offset < self._next:
                    passed = True
                    continue
                self._records.append(record)
                self._bytes += len(record.value)
            needed = self._next
        self.grown.set()
        if passed and needed > 0:
            # What was committed before it came is in nobody's commit to come.
            self._told(needed)

    def doubt(self, offset: int) -> None:
        """Whoever fills the feed could not read what is there."""
        with self._lock:
            self._doubts.append(offset)

    def doubtful(self, first: int, until: int) -> bool:
        """Whether a hole may be more than a transaction's mark."""
        with self._lock:
            return any(first <= offset < until for offset in self._doubts)

    def cast_off(self) -> None:
        """Nothing comes any more until the group has dealt out its partitions."""
        self._ashore = False
        self.adrift = True
        self.grown.set()

    def land(self) -> None:
        """It has; what comes next is from the group's consumer again."""
        self._ashore = True

    @property
    def unsettled(self) -> bool:
        """Whether the group has yet to say whose the partition is."""
        return self.adrift and not self._ashore

    def reaches(self, end: int) -> None:
        """The partition's end, as the group's consumer knows it."""
        self._end = end

    @property
    def end(self) -> int:
        """The offset after the newest record that is known of."""
        return max(self._end, self._last + 1)

    @property
    def full(self) -> bool:
        """Whether the driver should catch up before more is fetched."""
        return self.filled(FULL_BYTES)

    def filled(self, size: int) -> bool:
        """Whether there are as many bytes, or too many records."""
        return len(self._records) >= FULL_RECORDS or self._bytes >= size

    def take(self, offset: int, limit: int, size: int) -> list[Record]:
        """Records from `offset` on, at most `limit` and about `size` bytes; they stay.

        Up to the first hole in the offsets: what a hole is, whoever asks next finds out.
        """
        with self._lock:
            start = bisect_left(self._records, offset, key=lambda record: record.offset)
            found = self._records[start : start + limit]
        for count, record in enumerate(found):
            if record.offset != found[0].offset + count:
                return found[:count]
            size -= len(record.value)
            if size <= 0:
                return found[: count + 1]
        return found

    def drop(self, before: int) -> None:
        """Forget what is committed."""
        with self._lock:
            self._next = before
            self._doubts = [offset for offset in self._doubts if offset >= before]
            start = bisect_left(self._records, before, key=lambda record: record.offset)
            self._bytes -= sum(len(record.value) for record in self._records[:start])
            del self._records[:start]
        self._told(before)

    def begin_again(self, anew: bool = False) -> None:
        """The driver loads; `anew` if the topic is another one, whose offsets begin again."""
        with self._lock:
            if anew:
                self._records.clear()
                self._doubts.clear()
                self._bytes = self._end = 0
                self._last = -1
            self._next = -1
