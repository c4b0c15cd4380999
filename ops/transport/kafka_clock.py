"""The brokers' clock as seen from here."""

import threading

from ops.transport.log_clock import wall


class KafkaClock:
    """ms since 1970: this machine's clock, corrected by the newest append time that came back.

    An append is acknowledged after it was made, so this is never ahead of the brokers by more
    than the machine drifts between two acknowledgements. It goes back where it was ahead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0

    def appended(self, at: int) -> None:
        """A broker appended at `at` (ms), and we know it now."""
        with self._lock:
            self._ahead = at - wall()

    def __call__(self) -> int:
        """Now."""
        with self._lock:
            return wall() + self._ahead
