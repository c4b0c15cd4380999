"""Reads a spool's records in order, and counts those that are gone."""

import errno
import logging
from collections import deque
from collections.abc import Mapping

from collectors.segments import SpoolRecord, parse
from collectors.spool_files import SpoolFiles

log = logging.getLogger(__name__)

_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EINTR, errno.EAGAIN)


class SpoolReader:
    """The records behind the last that was read; at most one segment of them is in memory.

    Numbers are without gaps, so a gap is a lost record. What a crash left at a segment's end is
    counted as one: nobody knows how many it held.
    """

    def __init__(self, files: SpoolFiles) -> None:
        self.damaged = 0
        self.ahead: deque[SpoolRecord] = deque()
        self._files = files
        self._from = (0, 0)
        """The segment that is read next, and the byte from which."""
        self._expected = 1

    def start(self, behind: int) -> None:
        """Begin behind this number."""
        self._expected = behind + 1

    def forget(self, number: int) -> None:
        """Nothing up to this number is wanted any more."""
        while self.ahead and self.ahead[0].number <= number:
            self.ahead.popleft()

    def skip(self, number: int) -> None:
        """What is up to this number was dropped, which is no damage."""
        self.forget(number)
        self._expected = max(self._expected, number + 1)

    def read(self, sizes: Mapping[int, int], following: int) -> bool:
        """Bring the next whole records into `ahead`; False when none is left up to `following`."""
        for first in [first for first in sizes if first >= self._from[0]]:
            start = self._from[1] if first == self._from[0] else 0
            try:
                content = self._files.read(first, start)
            except OSError as fault:
                log.warning("spool segment cannot be read", extra={"error": str(fault)})
                if fault.errno in _PASSING:
                    return True
                content = b""
            piece = parse(content, self._expected - 1)
            lost = sum(self._reach(record.number) for record in piece.records)
            if first == max(sizes) and self._files.writing:
                self._from = (first, start + piece.end)
            else:
                behind = min((other for other in sizes if other > first), default=following)
                lost += self._reach(behind - 1, there=False)
                lost = max(lost, int(piece.garbage))
                self._from = (first + 1, 0)
            self._lost(lost)
            self.ahead.extend(piece.records)
            if self.ahead:
                return True
        self._lost(self._reach(following - 1, there=False))
        return False

    def _reach(self, number: int, there: bool = True) -> int:
        """Go on behind `number`; how many up to it were missing, itself among them or not."""
        missing = number + (not there) - self._expected
        self._expected = max(self._expected, number + 1)
        return max(0, missing)

    def _lost(self, records: int) -> None:
        if records:
            self.damaged += records
            log.warning("spool records were damaged", extra={"records": records})
