"""The embedded log's clock: the machine's, but never slower than time itself."""

import time
from collections.abc import Callable


def wall() -> int:
    """The machine's clock, in ms since 1970."""
    return time.time_ns() // 1_000_000


def since_boot() -> float:
    """Seconds that passed, those of a suspended machine included where the system counts them."""
    # Only Linux has this clock: https://docs.python.org/3/library/time.html#time.CLOCK_BOOTTIME
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class LogClock:
    """ms since 1970, going forward with the wall clock and at least at the pace of time.

    After the wall clock jumped ahead and back, append times cannot follow it back, and a log that
    waited for it to catch up would decide nothing until then. So this goes on from where the log
    is; producers then look slow by the difference, which the detector corrects as it does for any
    producer whose clock is wrong.
    """

    def __init__(
        self, clock: Callable[[], int] = wall, passed: Callable[[], float] = since_boot
    ) -> None:
        self._clock = clock
        self._passed = passed
        self._anchor = (clock(), passed())

    def at_least(self, at: int) -> None:
        """Go on from `at` (ms), if that is ahead: the newest append time of an opened log."""
        if at > self():
            self._anchor = (at, self._passed())

    def __call__(self) -> int:
        """Now."""
        at, since = self._anchor
        passed = self._passed()
        projected = at + int((passed - since) * 1000)
        now = self._clock()
        if now >= projected:
            self._anchor = (now, passed)
            return now
        return projected
