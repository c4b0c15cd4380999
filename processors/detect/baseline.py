"""What is expected of a series: from a window of its values, or from weighted means of all."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from processors.detect.formulas import robust
from processors.detect.inputs import Hours
from processors.detect.sheet import Layout, Sheet
from processors.promql.columns import Floats, Mask, Rows

SEASONAL_WEIGHT = 0.3
"""How much the newest hour moves the level of its place in the season."""


@dataclass(frozen=True, slots=True)
class Expected:
    """By series: its level, its spread in standard deviations, and by how many values."""

    level: Floats
    spread: Floats
    counts: Floats | Rows


class Baseline(Protocol):
    """Learns what to expect."""

    def expected(self, at: int, rows: Rows) -> Expected:
        """What to expect of these rows at an instant (ms)."""
        ...

    def learn(self, at: int, rows: Rows, values: Floats, clipped: Floats) -> None:
        """Take values, and what they are when outliers are drawn to the edge of what is usual."""
        ...


class Robust:
    """Median and MAD of a ring of values, less the season's level of each one's hour."""

    @staticmethod
    def layouts(values: int, hours: int) -> tuple[Layout, ...]:
        """What it keeps: each value once, and by hour of the season a level."""
        ring = Layout("values", values, fill=np.nan)
        if hours == 1:
            return (ring,)
        return ring, Layout("levels", hours, fill=np.nan), Layout("hour", fields=2)

    def __init__(self, sheet: Sheet, values: int, every: int, hours: int, clock: Hours) -> None:
        self._sheet, self._size, self._every = sheet, values, every
        self._season, self._clock = hours, clock
        self._known_at = -1
        self._middle = self._spread = np.zeros(0)
        self._counts: Rows = np.zeros(0, np.intp)
        self._seasonal: Mask = np.zeros(0, np.bool_)
        if sheet.clock is not None:
            self._know(sheet.clock)

    def expected(self, at: int, rows: Rows) -> Expected:
        """What to expect of these rows at an instant (ms)."""
        known = np.flatnonzero(rows < len(self._middle))
        known = known[self._sheet.born[rows[known]] <= self._known_at]
        level, spread = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        counts = np.zeros(len(rows), np.intp)
        chosen = rows[known]
        level[known], spread[known] = self._middle[chosen], self._spread[chosen]
        counts[known] = self._counts[chosen]
        if self._season > 1:
            now = self._sheet["levels"].values[self._clock.number(at) % self._season, 0]
            level[known] += np.where(self._seasonal[chosen], now[chosen], 0.0)
        return Expected(level, spread, np.where(np.isnan(level), 0, counts))

    def learn(self, at: int, rows: Rows, values: Floats, clipped: Floats) -> None:
        """The values join the window; the season learns from the hours, without their outliers."""
        ring = self._sheet["values"]
        column = at // self._every % self._size
        ring.clear(column, at)[0, rows] = values
        ring.touch(column)
        if self._season > 1:
            number = self._clock.number(at)
            level = self._sheet["levels"].values[number % self._season, 0, rows]
            # The first time round nobody knows what is an outlier of the season.
            self._learn_hour(number, rows, np.where(np.isnan(level), values, clipped))
        self._know(at)

    def _learn_hour(self, number: int, rows: Rows, values: Floats) -> None:
        hour, levels = self._sheet["hour"], self._sheet["levels"]
        last = int(hour.stamps[0])
        if last != number:
            if last >= 0:
                place = last % self._season
                total, count = hour.values[0]
                mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
                level = levels.values[place, 0]
                moved = level + SEASONAL_WEIGHT * (mean - level)
                level[:] = np.where(np.isnan(mean), level, np.where(np.isnan(level), mean, moved))
                levels.stamps[place] = last
                levels.touch(place)
            hour.clear(0, number)
        hour.values[0, 0, rows] += values
        hour.values[0, 1, rows] += 1
        hour.touch()

    def _know(self, at: int) -> None:
        """Work out median and spread, as of the last value."""
        ring, size = self._sheet["values"], len(self._sheet.labels)
        columns = np.flatnonzero(ring.stamps > at - self._size * self._every)
        rows = ring.values[columns, 0, :size]
        self._seasonal = np.zeros(size, np.bool_)
        if self._season > 1:
            hours = [self._clock.number(stamp) for stamp in ring.stamps[columns].tolist()]
            places = np.array([hour % self._season for hour in hours], np.intp)
            levels = self._sheet["levels"].values[places, 0, :size]
            self._seasonal = np.asarray(~np.isnan(levels).any(axis=0), np.bool_)
            rows = rows - np.where(self._seasonal, levels, 0.0)
        self._middle, self._spread, self._counts = robust(np.ascontiguousarray(rows.T))
        self._known_at = at


class Ewma:
    """Exponentially weighted mean and variance, of each hour of the season its own.

    mean += a d; variance = (1 - a) (variance + a d²), where d is the distance from the mean and
    a = 2 / (values + 1), or 1 / count while there were fewer (Finch, Incremental calculation of
    weighted mean and variance, 2009). Outliers count as the edge of the band (Gelper, Fried and
    Croux, Robust forecasting with exponential and Holt-Winters smoothing, 2010).
    """

    @staticmethod
    def layouts(values: int, hours: int) -> tuple[Layout, ...]:
        """What it keeps: mean, variance and count by hour of the season."""
        return (Layout("weighted", hours, fields=3),)

    def __init__(self, sheet: Sheet, values: int, every: int, hours: int, clock: Hours) -> None:
        self._sheet, self._weight, self._season, self._clock = sheet, 2 / (values + 1), hours, clock

    def expected(self, at: int, rows: Rows) -> Expected:
        """What to expect of these rows at an instant (ms)."""
        mean, variance, counts = self._sheet["weighted"].values[self._place(at)][:, rows]
        return Expected(mean, np.sqrt(variance), counts)

    def learn(self, at: int, rows: Rows, values: Floats, clipped: Floats) -> None:
        """The means move towards the values."""
        block, place = self._sheet["weighted"], self._place(at)
        mean, variance, counts = block.values[place][:, rows]
        counts += 1
        weight = np.maximum(self._weight, 1 / counts)
        distance = clipped - mean
        step = weight * distance
        variance = (1 - weight) * (variance + distance * step)
        block.values[place][:, rows] = mean + step, variance, counts
        block.touch(place)

    def _place(self, at: int) -> int:
        return self._clock.number(at) % self._season if self._season > 1 else 0
