"""The agent's bounded buffer on disk: what was appended outlives kill -9, damage and a full disk.

Plain files, because SQLite cannot delete on a full disk and loses more than the damaged record. A
segment holds the records from the number in its name on; an acknowledgement overwrites a few bytes
in place and unlinks segments, neither of which needs room.
"""

import errno
import logging
from collections.abc import Sequence
from pathlib import Path

from collectors.segments import HEAD_SIZE, SpoolRecord, parse, record_bytes
from collectors.spool_files import SpoolFiles
from collectors.spool_reader import SpoolReader
from schemas.errors import DataDirectoryError

log = logging.getLogger(__name__)

SEGMENT = 1024 * 1024
DEFAULT_SIZE = 256 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Spool:
    """A queue of payloads on disk, for one thread of one process.

    `append` answers True once the payloads are on the disk. When `max_bytes` or the disk is full
    the oldest segment goes, counted in `dropped`. A damaged record is lost and counted in
    `damaged` (at least: what is cut off cleanly behind the last record leaves no trace);
    everything else is read. Raises `DataDirectoryError` when another agent has the directory;
    any other trouble is logged, and `append` answers False until it is over.
    """

    def __init__(self, directory: Path, max_bytes: int = DEFAULT_SIZE) -> None:
        self.dropped = 0
        self._files = SpoolFiles(directory)
        self._max_bytes = max_bytes
        self._segment_bytes = min(SEGMENT, max(max_bytes // 8, 1))
        self._sizes: dict[int, int] = {}
        self._reader = SpoolReader(self._files)
        self._acked, self._next = 0, 1
        self._fault = ""
        self._dropping = False
        self._started = self._start()

    @property
    def pending(self) -> int:
        """How many records wait; damage that was not met yet counts as if it were whole."""
        return max(0, self._next - 1 - self._acked)

    @property
    def damaged(self) -> int:
        """How many records were lost to damage, at least."""
        return self._reader.damaged

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(list(self._sizes.values()))

    def append(self, payloads: Sequence[bytes]) -> bool:
        """Put them behind what waits; False when the disk takes nothing, and then none is in."""
        if not self._ready():
            return False
        size = sum(HEAD_SIZE + len(payload) for payload in payloads)
        if size > self._max_bytes:
            return False
        while self.size + size > self._max_bytes:
            self._drop_oldest()
        faults = 0
        while (fault := self._write(payloads)) is not None:
            faults += 1
            if self._files.writing:
                self._files.shut()  # a new file may be taken where the old may not grow
            elif fault.errno in _FULL and self._sizes:
                self._drop_oldest()
            else:
                return False
        self._fault = self._fault if faults else ""
        return True

    def peek(self, records: int, size: int) -> list[SpoolRecord]:
        """The oldest that wait: at most so many, and so many bytes unless one alone is larger."""
        ahead = self._reader.ahead
        if not ahead and self.pending and not self._reader.read(self._sizes, self._next):
            # Nothing that can be read is left: what the numbers still promise is gone.
            self.acknowledge(self._next - 1)
        found: list[SpoolRecord] = []
        for record in ahead:
            size -= len(record.payload)
            if len(found) >= records or (found and size < 0):
                break
            found.append(record)
        return found

    def acknowledge(self, number: int) -> None:
        """Everything up to `number` has arrived where it belongs."""
        self._acked = max(self._acked, number)
        self._reader.forget(number)
        for first in list(self._sizes):
            if self._following(first) - 1 > self._acked:
                break
            self._remove(first)
        self._dropping = self._dropping and self.pending > 0
        self._save_cursor()

    def close(self) -> None:
        """Let another process have the directory."""
        self._files.close()
        self._started = False

    def _ready(self) -> bool:
        try:
            self._started = self._started or self._start()
        except DataDirectoryError as fault:
            self._say("spool cannot be used", fault)
        return self._started

    def _start(self) -> bool:
        try:
            self._files.claim()
            self._survey()
        except OSError as fault:
            self._say("spool cannot be used", fault)
            return False
        return True

    def _survey(self) -> None:
        self._sizes = self._files.segments()
        oldest, last = min(self._sizes, default=1), max(self._sizes, default=0)
        cursor = self._files.load_cursor()
        self._acked = oldest - 1 if cursor is None else cursor
        self._next = self._acked + 1
        self._reader.start(self._acked)
        if last:
            # Records are added to a new segment only, whose number is above all that may be in
            # the last one: damage can have taken its end.
            self._next = max(self._next, last + 1, self._behind(last))
        for first, size in list(self._sizes.items()):
            if size == 0 or (first != last and self._following(first) - 1 <= self._acked):
                self._remove(first)

    def _behind(self, segment: int) -> int:
        """A number above all in a segment."""
        try:
            records = parse(self._files.read(segment), 0).records
        except OSError as fault:
            self._say("spool segment cannot be read", fault)
            return segment + 1 + self._sizes[segment] // HEAD_SIZE
        return max((record.number for record in records), default=segment) + 1

    def _following(self, segment: int) -> int:
        """The number after a segment's last."""
        return min((first for first in self._sizes if first > segment), default=self._next)

    def _write(self, payloads: Sequence[bytes]) -> OSError | None:
        content = b"".join(record_bytes(self._next + i, each) for i, each in enumerate(payloads))
        newest = max(self._sizes, default=0)
        try:
            if not self._files.writing or self._sizes[newest] >= self._segment_bytes:
                newest = self._next
                self._files.begin(newest)
                self._sizes[newest] = 0
            self._files.write(content)
        except OSError as fault:
            self._say("spool could not be written", fault)
            self._take_back(newest, len(payloads))
            return fault
        self._sizes[newest] += len(content)
        self._next += len(payloads)
        return None

    def _take_back(self, segment: int, count: int) -> None:
        """Cut a half-written group off; where even that fails, its numbers are used up."""
        size = self._sizes.get(segment, 0)
        try:
            self._files.cut(size)
        except OSError as fault:
            self._say("spool segment could not be cut", fault)
            self._files.shut()
            self._next += count
        else:
            if size == 0:
                self._remove(segment)

    def _drop_oldest(self) -> None:
        first = min(self._sizes)
        last = self._following(first) - 1
        waiting = last - max(self._acked, first - 1)
        self._remove(first)
        self._reader.skip(last)
        self._acked = max(self._acked, last)
        self._save_cursor()
        if waiting > 0:
            self.dropped += waiting
            if not self._dropping:
                log.error("spool is full and drops its oldest", extra={"bytes": self.size})
            self._dropping = True

    def _remove(self, segment: int) -> None:
        if segment == max(self._sizes, default=segment):
            self._files.shut()
        self._sizes.pop(segment, None)
        try:
            self._files.remove(segment)
        except OSError as fault:
            self._say("spool segment could not be removed", fault)

    def _save_cursor(self) -> None:
        try:
            self._files.save_cursor(self._acked)
        except OSError as fault:
            # This costs only repeats after a restart, which the log's readers recognise.
            self._say("spool cursor could not be written", fault)

    def _say(self, what: str, fault: Exception) -> None:
        """Log a fault once, until it changes."""
        if (said := f"{what}: {fault}") != self._fault:
            log.warning(what, extra={"error": str(fault)})
        self._fault = said
