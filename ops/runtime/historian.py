"""The historian's loop: reads every topic that history keeps, writes blocks, then commits."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from ops.history.errors import HistoryAway, HistoryError, HistoryRefused
from ops.history.tables import TABLES
from ops.history.writer import Writer
from ops.runtime.crash import Crash
from ops.runtime.intake import dead_letter, encoded
from processors.historian import Collector
from schemas.errors import LogAway, Reason, Undecodable
from schemas.stage import Inbox, Message, Partition, Publish, Record
from schemas.topics import ALERTS, CODEC, DELIVERIES, HISTORY, METRICS

logger = logging.getLogger(__name__)

TOPICS_KEPT = (METRICS, ALERTS, DELIVERIES, HISTORY)
BLOCK_ROWS = 50_000
BLOCK_SECONDS = 1.0
MOST_ROWS = 200_000
NAME = "historian"
REFUSALS_IN_A_ROW = 20
"""That many single records refused, and it is not the records: wait instead of burying all."""
TRUST = 1.0
"""Seconds for which an assignment that was looked at counts: no session is shorter. Who was stopped
for longer may have lost what it holds, and others have written it."""


class Historian:
    """Writes what it read, whole blocks of one partition, and only then commits the offsets.

    While history is away the block waits and nothing more is read: the log keeps the rest.
    """

    def __init__(
        self,
        inbox: Inbox,
        publish: Publish,
        writer: Writer,
        retention: int,
        crash: Crash,
        count: Callable[[str, int], None] = lambda _name, _amount: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._publish = publish
        self._writer = writer
        self._retention = retention
        self._crash = crash
        self._count = count
        self._clock = clock
        self._collectors: dict[Partition, Collector] = {}
        self._records: dict[Partition, list[Record]] = {}
        self._letters: dict[Partition, list[tuple[Reason, Message]]] = {}
        self._owned: frozenset[Partition] = frozenset()
        self._since = 0.0
        self._looked = clock()
        self._refusals = 0
        self.away: str | None = None
        self.watermark = 0
        self.read = threading.Event()

    @property
    def lag(self) -> int:
        """How many records are still to be read."""
        return sum(self._inbox.lag().values())

    def run(self, stop: threading.Event) -> None:
        """Read and write until stopped; what is not written by then is read again."""
        try:
            while not stop.is_set():
                try:
                    self.turn(0.2)
                except (HistoryAway, LogAway) as fault:
                    self._say_away(str(fault))
                    stop.wait(1.0)
                except HistoryError as fault:
                    self._say_away(str(fault))
                    stop.wait(5.0)
            self._last_words()
        finally:
            self._inbox.close()

    def turn(self, timeout: float) -> bool:
        """Read what there is and write what is due; False when there was nothing to do.

        Raises `HistoryAway` or `LogAway`; the next turn goes on where this one was.
        """
        waiting = self._rows() + sum(len(letters) for letters in self._letters.values())
        polled = self._inbox.poll(timeout, 1_000) if waiting < MOST_ROWS else []
        self._follow_assignment()
        records = [record for record in polled if record.partition in self._owned]
        for gap in self._inbox.gaps():
            logger.error(
                "records lost to retention",
                extra={"topic": gap.partition.topic, "first": gap.first, "resumed": gap.resumed},
            )
            self._count("gap", max(0, gap.resumed - gap.first))
        if records and not any(self._records.values()):
            self._since = self._clock()
        for record in records:
            self._take(record)
        if not records:
            self.read.set()
        if not any(self._records.values()):
            self.away = None
        elif self._due():
            self._write()
            return True
        return bool(records)

    def flush(self) -> None:
        """Write what waits, whether it is due or not; raises what `turn` raises."""
        if any(self._records.values()):
            self._write()

    def _due(self) -> bool:
        return self._rows() >= BLOCK_ROWS or self._clock() - self._since >= BLOCK_SECONDS

    def _rows(self) -> int:
        return sum(collector.rows for collector in self._collectors.values())

    def _follow_assignment(self) -> None:
        """Let go of what others read now; what stays ours goes on where it is, and is held on to.

        Looked at after every poll: what was lost and came back is read again from what was
        committed, and must not be held twice.
        """
        owned = self._inbox.assigned()
        self._looked = self._clock()
        for partition in self._records.keys() - owned:
            del self._records[partition]
            self._collectors.pop(partition, None)
            self._letters.pop(partition, None)
        if owned - self._owned:
            self._writer.forget()
        self._owned = owned

    def _take(self, record: Record) -> None:
        """Hold a record that was polled; nothing here may fail, for it is not polled again."""
        collector = self._collectors.setdefault(record.partition, Collector(self._retention))
        self._records.setdefault(record.partition, []).append(record)
        collector.pass_by(record.offset, record.appended_at)
        self.watermark = max(self.watermark, record.appended_at)
        try:
            collector.add(record.offset, record.appended_at, CODEC.decode(record.value))
        except Undecodable as fault:
            # What no stage can decode is buried by the stage whose input it is.
            if record.partition.topic == HISTORY or fault.reason is Reason.INVALID_COLUMNS:
                letter = _letter(record, fault.reason, fault.detail)
                self._letters.setdefault(record.partition, []).append((fault.reason, letter))

    def _bury(self, letters: Sequence[tuple[Reason, Message]]) -> None:
        """Publish the letters; a repeat has the ids of the first time."""
        if letters:
            self._publish.publish([letter for _, letter in letters])
        for reason, _ in letters:
            self._count(f"dead:{reason}", 1)

    def _write(self) -> None:
        for partition in [partition for partition, held in self._records.items() if held]:
            self._bury(self._letters.get(partition, ()))
            self._letters.pop(partition, None)
            self._write_partition(partition, self._records[partition])
            self._crash("historian.before-commit")
            self._inbox.commit({partition: self._records[partition][-1].offset + 1})
            self._crash("historian.after-commit")
            self._records[partition] = []
        self.away = None

    def _write_partition(self, partition: Partition, held: Sequence[Record]) -> None:
        """Write the rows of these records; after a failure they are gathered again."""
        collector = self._collectors[partition]
        try:
            self._store(partition, held, collector)
        except BaseException:
            self._collectors[partition] = _gathered(held, collector)
            raise
        for name, amount in collector.counts.items():
            self._count(name, amount)
        collector.counts.clear()

    def _store(self, partition: Partition, held: Sequence[Record], collector: Collector) -> None:
        """Insert what was collected; where history refuses it, find the record and bury that."""
        try:
            self._crash("historian.before-insert")
            for table, columns in collector.take():
                if self._clock() - self._looked > TRUST:
                    self._writer.forget()
                written = self._writer.write(
                    TABLES[table], partition.topic, partition.number, TABLES[table].rows(columns)
                )
                self._count(f"rows:{table}", written.stored)
                if written.found:
                    self._count(f"found:{table}", written.found)
            self._crash("historian.after-insert")
            self._refusals = 0
        except (HistoryRefused, ValueError, TypeError, OverflowError) as fault:
            if len(held) == 1:
                self._refusals += 1
                if self._refusals > REFUSALS_IN_A_ROW:
                    raise HistoryAway(f"history refuses record after record: {fault}") from fault
                self._bury(
                    [(Reason.STAGE_FAILED, _letter(held[0], Reason.STAGE_FAILED, str(fault)))]
                )
                return
            middle = len(held) // 2
            for half in (held[:middle], held[middle:]):
                self._store(partition, half, _gathered(half, collector))

    def _say_away(self, why: str) -> None:
        if self.away is None:
            logger.warning("history away, the log keeps what it misses", extra={"error": why})
        self.away = why

    def _last_words(self) -> None:
        try:
            self.flush()
        except (HistoryError, LogAway, OSError) as fault:
            logger.warning("last block left to the log", extra={"error": str(fault)})


def _letter(record: Record, reason: Reason, detail: str) -> Message:
    letter = dead_letter(NAME, record, reason, detail, record.appended_at)
    return encoded(letter, NAME, record.appended_at)


def _gathered(held: Sequence[Record], before: Collector) -> Collector:
    """The rows of these records once more, as `before` had them."""
    collector = before.emptied()
    for record in held:
        collector.pass_by(record.offset, record.appended_at)
        try:
            collector.add(record.offset, record.appended_at, CODEC.decode(record.value))
        except Undecodable:
            continue  # buried when it was first read
    return collector
