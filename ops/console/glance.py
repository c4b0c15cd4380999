"""What a page asks of the process, asked once in two seconds for all who look."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

EVERY: Final = 2.0
"""Seconds between two looks."""

Seen = TypeVar("Seen")


@dataclass
class Glance(Generic[Seen]):
    """Asks in a thread, at most every two seconds however many pages look; `now` is in ms."""

    ask: Callable[[], Seen]
    now: Callable[[], int]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen: tuple[int, Seen] | None = None

    async def look(self, *, anew: bool = False) -> Seen:
        """What was seen last; `anew`: after something was done."""
        async with self._lock:
            if anew or self._seen is None or self.now() - self._seen[0] >= EVERY * 900:
                self._seen = (self.now(), await asyncio.to_thread(self.ask))
            return self._seen[1]
