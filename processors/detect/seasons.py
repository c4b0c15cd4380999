"""What was counted by hour of the week, each week weighing less than the one after it."""

import numpy as np

from processors.detect.sheet import HOUR, Layout, Sheet
from processors.promql.columns import Floats, Mask, Rows, Times

WEEK = 168
ASIDE = 1 / 16
"""How much must be left of what was odd, which halves each week: so it counts for four weeks."""
AT_HOUR, AT_DAY_HOUR, AT_ANY = "this hour of the week", "this hour of the day", "any hour"


class Seasons:
    """Two counts of each series by hour of the week; the open hour is no part of any baseline.

    What was odd is put aside, and is learned once the same hour of another week was odd too: what
    comes each week is usual there.
    """

    @staticmethod
    def layouts() -> tuple[Layout, ...]:
        """What it keeps: the hours of a week, the open hour, and of how many hours it knows."""
        open_hour = Layout("hour", fields=4)
        return Layout("week", WEEK, 2), Layout("week_odd", WEEK, 2), open_hour, Layout("hours")

    def __init__(self, sheet: Sheet, half_life: int) -> None:
        self._sheet, self._half_life = sheet, half_life / HOUR
        self._known: dict[int, tuple[Floats, list[str]]] = {}
        self._state = (0, 0)

    def learn(self, number: int, rows: Rows, counts: Floats, usual: Mask) -> None:
        """Count [field, row] in the hour of this number; the hour before it is then closed."""
        hour = self._sheet["hour"]
        if hour.stamps[0] != number:
            if hour.stamps[0] >= 0:
                self._close(int(hour.stamps[0]), hour.values[0])
            hour.clear(0, number)
            hour.touch()
        if rows.size:
            hour.values[0][:2, rows] += counts * usual
            hour.values[0][2:, rows] += counts * ~usual
            hour.touch()

    def baseline(self, number: int, events: int, hours: int) -> tuple[Floats, list[str]]:
        """What is usual in the hour of this number, [field, row], and which hours say so.

        The first of the same hour of the week, the same hour of the day, and all hours that has so
        many events; nothing of a series that is known for fewer than so many hours.
        """
        state = (self._sheet.capacity, self._sheet.reused)
        if state != self._state or len(self._known) > 2:
            self._known, self._state = {}, state
        if number not in self._known:
            self._known[number] = self._worked_out(number, events, hours)
        return self._known[number]

    def _close(self, number: int, counts: Floats) -> None:
        week, place = self._sheet["week"], number % WEEK
        before = int(week.stamps[place])
        if before >= 0:
            week.values[place] *= self._weight(number - before)
        week.values[place] += counts[:2] + self._again(place, counts[2:])
        week.stamps[place] = number
        week.touch(place)
        known = self._sheet["hours"]
        known.values[0, 0] += counts[1] + counts[3] > 0
        known.touch()
        self._known = {}

    def _again(self, place: int, odd: Floats) -> Floats:
        """What was odd at this hour of the week, now and not long ago; else it is put aside."""
        aside = self._sheet["week_odd"]
        before = aside.values[place]
        if not odd.any() and not before.any():
            return odd
        again = (odd[1] > 0) & (before[1] >= odd[1] * ASIDE)
        learned: Floats = np.where(again, odd + before, 0.0)
        before[:] = np.where(again, 0.0, np.where(odd[1] > 0, odd, before / 2))
        aside.touch(place)
        return learned

    def _weight(self, hours: Times | int) -> Floats:
        weight: Floats = np.asarray(0.5 ** (np.asarray(hours) / self._half_life))
        return weight

    def _worked_out(self, number: int, events: int, hours: int) -> tuple[Floats, list[str]]:
        week = self._sheet["week"]
        weights = np.where(week.stamps >= 0, self._weight(number - week.stamps), 0.0)
        found = np.zeros((2, self._sheet.capacity))
        names = [""] * self._sheet.capacity
        ready = self._sheet["hours"].values[0, 0] >= hours
        for name, places in (
            (AT_HOUR, np.array([number % WEEK])),
            (AT_DAY_HOUR, number % 24 + 24 * np.arange(7)),
            (AT_ANY, np.arange(WEEK)),
        ):
            counts = np.add.reduce(week.values[places] * weights[places, None, None], axis=0)
            chosen = np.flatnonzero(ready & (found[1] == 0) & (counts[1] >= events))
            found[:, chosen] = counts[:, chosen]
            for row in chosen.tolist():
                names[row] = name
        return found, names
