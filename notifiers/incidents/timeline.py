"""Timelines: what happened to each incident, line by line, each an entry of the checkpoint."""

from dataclasses import dataclass
from sys import intern

import ormsgpack

from notifiers.alarms import Alarms

FIRST_KEPT, MOST_KEPT = 20, 200
"""Of a timeline in the router's memory; history has all lines."""
LONGEST_DETAIL = 2_000


@dataclass(frozen=True, slots=True)
class Happening:
    """One line: its number, when, what, by whom (nobody: by itself), and in which words."""

    number: int
    at: int
    what: str
    by: str = ""
    detail: str = ""


class TimelineBook:
    """The lines of every incident that is remembered: its first ones, and its newest."""

    prefix = "happening"

    def __init__(self) -> None:
        self.touched: set[str] = set()
        self.alarms = Alarms()
        self._lines: dict[str, list[Happening]] = {}

    def of(self, incident: str) -> tuple[Happening, ...]:
        """An incident's lines, the oldest first; numbers that are missing were dropped."""
        return tuple(self._lines.get(incident, ()))

    def write(self, incident: str, at: int, what: str, by: str, detail: str) -> Happening:
        """One more line; in the middle an older one may make room."""
        lines = self._lines.setdefault(incident, [])
        number = lines[-1].number + 1 if lines else 0
        line = Happening(number, at, what, by[:LONGEST_DETAIL], detail[:LONGEST_DETAIL])
        lines.append(line)
        self.touched.add(_name(incident, line.number))
        if len(lines) > MOST_KEPT:
            # The beginning says how it came about, the end how it stands.
            self.touched.add(_name(incident, lines.pop(FIRST_KEPT).number))
        return line

    def forget(self, incident: str) -> None:
        """Drop an incident's lines."""
        for line in self._lines.pop(incident, ()):
            self.touched.add(_name(incident, line.number))

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint; they come in the order of their names."""
        incident, _, number = name.partition("/")
        at, *texts = ormsgpack.unpackb(entry)
        # Most lines of most incidents say the same.
        line = Happening(int(number), at, *map(intern, texts))
        self._lines.setdefault(incident, []).append(line)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        incident, _, number = name.partition("/")
        wanted = int(number)
        for line in reversed(self._lines.get(incident, ())):
            if line.number == wanted:
                return ormsgpack.packb([line.at, line.what, line.by, line.detail])
        return None


def _name(incident: str, number: int) -> str:
    """Names in order are lines in order."""
    return f"{incident}/{number:010d}"
