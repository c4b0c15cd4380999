"""Alarms: one instant a name, the earliest first; setting one anew moves it."""

from heapq import heapify, heappop, heappush

_FEW = 1_000


class Alarms:
    """Instants in ms, by name; of equal instants the first name in order rings first."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        """Whether any may be set."""
        return bool(self._heap)

    def set(self, name: str, at: int | None) -> None:
        """Ring then; None: never."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            heappush(self._heap, (at, name))
            if len(self._heap) > _FEW + 2 * len(self._at):
                # One that is moved again and again, far ahead, would leave all its instants here.
                self._heap = [(when, one) for one, when in self._at.items()]
                heapify(self._heap)

    def next(self) -> tuple[int, str] | None:
        """The earliest, which stays until it is moved."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0] if self._heap else None
