"""A circuit breaker: a channel that fails again and again is left alone for a while."""

from dataclasses import dataclass, field
from threading import Lock

FAILURES = 5
SPAN = 3_000
"""Groups that fail together in one moment say less than one that fails again and again (ms)."""
OPEN_FOR = 30_000


@dataclass(slots=True)
class Breaker:
    """Opens after five failures in a row over three seconds; after 30 s one try decides.

    Times in ms.
    """

    failures: int = 0
    since: int = 0
    """When the first of these failed."""
    open_until: int = 0
    _lock: Lock = field(default_factory=Lock)

    def closed_at(self, now: int) -> int | None:
        """None if a try may be made now, else when the next one may."""
        with self._lock:
            if not self.open_until:
                return None
            if now >= self.open_until:
                # Half open: this caller tries, the others wait for what becomes of it.
                self.open_until = now + OPEN_FOR
                return None
            return self.open_until

    def succeeded(self) -> None:
        """The channel works."""
        with self._lock:
            self.failures = self.open_until = 0

    def failed(self, now: int) -> None:
        """The channel did not answer, or asked to be left alone."""
        with self._lock:
            self.since = self.since if self.failures else now
            self.failures += 1
            if self.open_until or (self.failures >= FAILURES and now - self.since >= SPAN):
                self.open_until = now + OPEN_FOR
