"""Random series for both oracles: gauges, counters, buckets, odd names, gaps, stale markers."""

from collections.abc import Callable, Mapping
from math import isnan
from random import Random

import numpy as np

from processors.promql.columns import STALE, STALE_BITS
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource

STEP = 5_000  # milliseconds between samples
LENGTH = 150  # samples of a series at most
LAST = 900_000  # the last instant that is asked about

Item = float | None  # a sample, or a gap
Items = list[Item]
Series = Mapping[Labels, Items]

# No subnormal number: Go's logarithm of one is wrong on x86 (docs/promql.md, "Differences").
PLAIN = [0.0, 1.0, 2.0, -2.5, 10.25, 1000.0, 3.0, 0.5, -0.0]
WILD = [*PLAIN, 0.1, 1e17, -1e17, 1e-9, 123.456, 1e-300, 1.7e308, float("nan")]
WILD += [float("inf"), float("-inf"), 1.7e9]
BOUNDS = [
    ["0.1", "0.5", "1", "2.5", "+Inf"],
    ["0.1", "0.5", "1", "2.5", "+Inf"],
    ["-1", "0", "1", "+Inf"],
    ["0.1", "1", "1.0", "+Inf"],  # two buckets of one bound
    ["0.1", "1", "2.5"],  # no +Inf
    ["0.1", "x", "", "1", "Inf"],  # what is no number
    ["+Inf"],
]


def series(draw: Random, *, wild: bool, stale: bool) -> Series:
    """Series of several metrics; without `wild`, sums are exact in any order."""
    found: dict[Labels, Items] = {}
    numbers = WILD if wild else PLAIN
    for labels in _labelled():
        if draw.random() < 0.65:
            values = _counter if dict(labels)["__name__"] == "c" else _gauge(numbers)
            found[labels] = _items(draw, values, stale)
    for job in "ab":
        for host in ("1", "2")[: draw.randrange(3)]:
            found.update(_histogram(draw, job, host, stale))
    return found


def _labelled() -> list[Labels]:
    hosts: list[dict[str, str]] = [{}, {"host": "1"}, {"host": "2"}]
    sets = [
        {"__name__": name, "job": job, **host} for name in "mnc" for job in "ab" for host in hosts
    ]
    sets += [{"__name__": "lat.ms", "job": "a", "geo.zone": zone} for zone in ("éa", 'x"\\y')]
    sets += [{"__name__": "lat.ms", "job": "b"}, {"__name__": "m", "job": "a", "host": "one"}]
    sets += [
        {"__name__": "target_info", "job": job, "instance": "i", "version": version}
        for job, version in (("a", "1"), ("b", "1"), ("b", "2"))
    ]
    sets += [
        {"__name__": name, "job": job, "instance": "i", "host": "3"}
        for name in "mc"
        for job in "ab"
    ]
    return [tuple(sorted(each.items())) for each in sets]


Values = Callable[[Random, int], Items]


def _gauge(numbers: list[float]) -> Values:
    def values(draw: Random, count: int) -> Items:
        start, step = draw.choice(numbers), draw.choice([0.0, 0.0, 1.0, -0.5, 7.25])
        return [start + step * at for at in range(count)]

    return values


def _counter(draw: Random, count: int) -> Items:
    start, step = draw.choice([0.0, 0.0, 5.0, 1e6]), draw.choice([0.0, 1.0, 0.3, 17.0])
    return [start + step * at for at in range(count)]


def _items(draw: Random, values: Values, stale: bool) -> Items:
    """Runs of values, gaps, markers and single samples."""
    items: Items = []
    length = draw.choice([LENGTH, LENGTH, 60, 3, 1])
    while len(items) < length:
        kind = draw.random()
        if kind < 0.15:
            items += [None] * draw.choice([1, 2, 10, 70])
        elif kind < 0.25 and stale:
            items.append(STALE)
        elif kind < 0.6:
            items += values(draw, 1)
        else:
            items += values(draw, draw.choice([3, 12, 40, 100]))
    return items[:length]


def _histogram(draw: Random, job: str, host: str, stale: bool) -> Series:
    bounds = draw.choice(BOUNDS)
    length = draw.choice([LENGTH, 40])
    level, found = 0.0, {}
    broken = draw.random() < 0.2  # not monotonic
    for bound in bounds:
        level = draw.choice([1.0, 0.5, 3.0]) if broken else level + draw.choice([0.0, 1.0, 2.0])
        labels = {"__name__": "h_bucket", "job": job, "host": host, "le": bound}
        key = tuple(sorted((name, value) for name, value in labels.items() if value))
        items: Items = [level * at for at in range(length)]
        if stale and draw.random() < 0.1:
            items[length // 2] = STALE
        found[key] = items
    return found


def source(given: Series, base: int = 0) -> MemorySource:
    """The same series for our engine, their first samples at `base` milliseconds."""
    return MemorySource.of(
        (
            labels,
            [(base + at * STEP, each) for at, each in enumerate(items) if each is not None],
        )
        for labels, items in given.items()
    )


def is_stale(item: float) -> bool:
    """Whether a sample is a stale marker."""
    return int(np.array(item).view(np.int64)) == STALE_BITS


def spelled(value: float) -> str:
    """A number as Go reads it."""
    if isnan(value):
        return "NaN"
    return repr(value).replace("inf", "Inf")


def read(text: str) -> Item:
    """A sample in promtool's notation."""
    if text == "_":
        return None
    return STALE if text == "stale" else float(text)
