"""The brokers' clock as somebody knows it who appends nothing: by what others append."""

import time
from collections.abc import Callable
from typing import Final

from ops.transport.log_clock import wall

CLOSE: Final = 12_000
"""ms. Every worker speaks every ten seconds, so in a fleet that lives the newest append is no older
than this, by a clock that is right."""
WAITS: Final = 11.0
"""Seconds for a worker to speak."""
_PAUSE: Final = 0.5


class SeenClock:
    """ms since 1970: this machine's clock, until `look` has found that it is wrong."""

    def __init__(
        self, clock: Callable[[], int] = wall, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._ahead = 0

    def __call__(self) -> int:
        """Now."""
        return self._clock() + self._ahead

    def look(self, newest: Callable[[], int]) -> None:
        """Compare with the newest append time: `newest` finds it out (ms; below 0 there is none).

        Where that is long ago, or to come, either this clock is wrong or nobody lives. So it waits
        until somebody appends, which is now; if nobody does, only that this clock is not behind
        what was appended is known.
        """
        first = newest()
        if first < 0 or 0 <= self() - first <= CLOSE:
            return
        waited = 0.0
        while waited < WAITS:
            self._wait(_PAUSE)
            waited += _PAUSE
            if (seen := newest()) > first:
                self._ahead = seen - self._clock()
                return
        self._ahead = max(self._ahead, first + int(waited * 1000) - self._clock())
