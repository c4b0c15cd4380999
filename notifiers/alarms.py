"""Alarms: one instant a name, the earliest first; setting one anew moves it."""

from heapq import heapify, heappop, heappush

_FEW = 1_000


class Alarms:
    """Instants in ms, by name; of equal instants the first name in order rings first."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        self.heap: list[tuple[int, str]] = []
        """The earliest first; some may have been moved since. While it is empty none is set."""

    def set(self, name: str, at: int | None) -> None:
        """Ring then; None: never."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            heappush(self.heap, (at, name))
            if len(self.heap) > _FEW + 2 * len(self._at):
                # One that is moved again and again, far ahead, would leave all its instants here.
                self.heap = [(when, one) for one, when in self._at.items()]
                heapify(self.heap)

    def next(self) -> tuple[int, str] | None:
        """The earliest, which stays until it is moved."""
        while self.heap and self._at.get(self.heap[0][1]) != self.heap[0][0]:
            heappop(self.heap)
        return self.heap[0] if self.heap else None
