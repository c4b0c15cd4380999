"""A circuit breaker: a channel that fails again and again is left alone for a while."""

from dataclasses import dataclass, field
from threading import Lock

FAILURES = 5
OPEN_FOR = 30_000


@dataclass(slots=True)
class Breaker:
    """Opens after five failures in a row; after 30 s one try decides. Times in ms."""

    failures: int = 0
    open_until: int = 0
    _lock: Lock = field(default_factory=Lock)

    def closed_at(self, now: int) -> int | None:
        """None if a try may be made now, else when the next one may."""
        with self._lock:
            if self.failures < FAILURES:
                return None
            if now >= self.open_until:
                # Half open: this caller tries, the others wait for what becomes of it.
                self.open_until = now + OPEN_FOR
                return None
            return self.open_until

    def succeeded(self) -> None:
        """The channel works."""
        with self._lock:
            self.failures = 0

    def failed(self, now: int) -> None:
        """The channel did not answer, or asked to be left alone."""
        with self._lock:
            self.failures += 1
            if self.failures >= FAILURES:
                self.open_until = now + OPEN_FOR
